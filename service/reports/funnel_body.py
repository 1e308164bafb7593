"""The body of a funnel question: its steps, their checks, and their translation for PostgreSQL."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from service.errors import Invalid
from service.questions.condition_grammar import field_path, parse_conditions
from service.questions.conditions import PROPERTIES, Condition, Malformed, predicate
from service.questions.parameters import SHOWN, invalid
from sql.hourly import DIMENSIONS

LEAST_STEPS, MOST_STEPS = 2, 10
MOST_MINUTES = 30 * 24 * 60
NAMED = ("event_type", "tool_name", "action")

Name = Annotated[str, Meta(max_length=128)]
Names = dict[str, str | None]


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """The values that an event must have to match a step. Empty texts count as absent. where: conditions as text."""

    event_type: Name | None = None
    tool_name: Name | None = None
    action: Name | None = None
    where: str = ""


class FunnelBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """The body of a funnel question. Times and filters have the form of query parameters."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=LEAST_STEPS, max_length=MOST_STEPS)]
    window_minutes: Annotated[int, Meta(ge=1, le=MOST_MINUTES)] = 24 * 60
    by: Literal["session", "user"] = "session"
    order: Literal["loose", "strict"] = "loose"
    hours: int | None = None
    since: str | None = None
    until: str | None = None
    breakdown: str | None = None
    filters: dict[str, str] = {}

    @property
    def range(self) -> dict[str, str]:
        """Return the fields of the range as query parameters."""
        said = {"hours": self.hours, "from": self.since, "to": self.until}
        return {name: str(value) for name, value in said.items() if value is not None}


class Steps(NamedTuple):
    """The steps in the form of is_funnel_step, one entry per step: names, jsonpath predicates or None, and values."""

    event_types: list[str | None]
    tool_names: list[str | None]
    actions: list[str | None]
    of_fields: list[str | None]
    of_properties: list[str | None]
    values: str


def steps_of(sent: tuple[Step, ...]) -> Steps:
    """Return the steps of a body, translated for PostgreSQL. Raises Invalid."""
    read = [_read(step, f"steps[{place}]") for place, step in enumerate(sent)]
    predicates = [predicate(conditions) for _, conditions in read]
    values = [None if found.values is None else msgspec.Raw(found.values.encode()) for found in predicates]
    return Steps(
        [names["event_type"] for names, _ in read],
        [names["tool_name"] for names, _ in read],
        [names["action"] for names, _ in read],
        [found.of_fields for found in predicates],
        [found.of_properties for found in predicates],
        msgspec.json.encode(values).decode(),
    )


def _read(step: Step, place: str) -> tuple[Names, list[Condition]]:
    """Return the names of a step and its other conditions.

    A condition with `=` becomes a name if the step has no such name yet, because an index can find names.
    """
    names: Names = {field: getattr(step, field) or None for field in NAMED}
    for field, name in names.items():
        if "\0" in (name or ""):
            raise Invalid("must not hold a NUL character", f"{place}.{field}")
    others = []
    for condition in _conditions(step, place):
        field = condition.path[0]
        if condition.operator == "=" and field in NAMED and names[field] is None:
            names[field] = str(condition.values[0])
        else:
            others.append(condition)
    if not others and not any(name is not None for name in names.values()):
        raise Invalid(f"must have one of {', '.join(NAMED)} and where", place)
    return names, others


def _conditions(step: Step, place: str) -> tuple[Condition, ...]:
    try:
        return parse_conditions(step.where)
    except Malformed as error:
        raise invalid(f"{place}.where", str(error)) from error


class Breakdown(NamedTuple):
    """The field that divides the runs, in the form of event_key: a dimension, and for properties a path."""

    dimension: str | None = None
    path: list[str] | None = None


def breakdown_of(text: str | None) -> Breakdown:
    """Return the breakdown that a text names. Raises Invalid."""
    if not text:
        return Breakdown()
    try:
        path = field_path(text)
    except Malformed:
        path = None
    if path is not None and path[0] == PROPERTIES:
        return Breakdown(PROPERTIES, list(path[1:]))
    if text in DIMENSIONS:
        return Breakdown(text)
    raise invalid(
        "breakdown",
        f"must be one of {', '.join(DIMENSIONS)}, or a property such as properties.plan, not {text[:SHOWN]!r}",
    )
