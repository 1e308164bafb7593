"""The body of a funnel question: its steps, their checks, and their translation into the conditions of events."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from service.archive.checks import checks_of
from service.archive.questions import Step as StepAsked
from service.errors import Invalid
from service.questions.condition_grammar import parse_conditions
from service.questions.conditions import Clause, Conditions, Malformed, equals
from service.questions.divisions import Division, division
from service.questions.goals import Goals
from service.questions.parameters import invalid
from sql.hourly import DIMENSIONS

LEAST_STEPS, MOST_STEPS = 2, 10
MOST_MINUTES = 30 * 24 * 60
NAMED = ("event_type", "tool_name", "action")

Name = Annotated[str, Meta(max_length=128)]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """The values that an event must have to match a step. Empty texts count as absent.

    where: conditions as text. goal: the name of a saved goal, which the event must reach.
    """

    event_type: Name | None = None
    tool_name: Name | None = None
    action: Name | None = None
    where: str = ""
    goal: Name | None = None


RENAMED = {"since": "from", "until": "to", "range_name": "range"}


class FunnelBody(Struct, frozen=True, forbid_unknown_fields=True, rename=RENAMED):
    """The body of a funnel question. Times and filters have the form of query parameters."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=LEAST_STEPS, max_length=MOST_STEPS)]
    window_minutes: Annotated[int, Meta(ge=1, le=MOST_MINUTES)] = 24 * 60
    by: Literal["session", "user"] = "session"
    order: Literal["loose", "strict"] = "loose"
    hours: int | None = None
    since: str | None = None
    until: str | None = None
    range_name: str | None = None
    tz: str | None = None
    week_start: str | None = None
    breakdown: str | None = None
    filters: dict[str, str] = {}

    @property
    def range(self) -> dict[str, str]:
        """Return the fields of the range as query parameters."""
        said = {"hours": self.hours, "from": self.since, "to": self.until, "range": self.range_name}
        said |= {"tz": self.tz, "week_start": self.week_start}
        return {name: str(value) for name, value in said.items() if value is not None}


async def steps_of(sent: tuple[Step, ...], goals: Goals) -> tuple[StepAsked, ...]:
    """Return the tests of each step of a body. Raises Invalid."""
    return tuple([StepAsked(checks_of(await _read(step, f"steps[{place}]", goals))) for place, step in enumerate(sent)])


async def _read(step: Step, place: str, goals: Goals) -> list[Clause]:
    """Return the conditions of a step, its names and those of its goal among them."""
    names = {field: getattr(step, field) for field in NAMED if getattr(step, field)}
    for field, name in {**names, "goal": step.goal or ""}.items():
        if "\0" in name:
            raise Invalid("must not hold a NUL character", f"{place}.{field}")
    found = [*(equals(field, name) for field, name in names.items()), *_conditions(step, place)]
    if step.goal:
        found += (await goals.named(step.goal, f"{place}.goal")).conditions()
    if not found:
        raise Invalid(f"must have one of {', '.join(NAMED)}, goal and where", place)
    return found


def _conditions(step: Step, place: str) -> Conditions:
    try:
        return parse_conditions(step.where)
    except Malformed as error:
        raise invalid(f"{place}.where", str(error)) from error


def breakdown_of(text: str | None) -> Division | None:
    """Return the field that divides the runs, None for no text. Raises Invalid."""
    return division("breakdown", text, DIMENSIONS) if text else None
