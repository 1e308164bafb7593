"""What is asked of a funnel: its steps as they are sent, checked, and as PostgreSQL takes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from service.errors import Invalid
from service.questions.condition_grammar import field_path, property_condition
from service.questions.conditions import PROPERTIES, Condition, Malformed, checked, predicate
from service.questions.parameters import SHOWN, invalid
from sql.hourly import DIMENSIONS

LEAST_STEPS, MOST_STEPS = 2, 10
MOST_MINUTES = 30 * 24 * 60
NAMED = ("event_type", "tool_name", "action")

Name = Annotated[str, Meta(max_length=128)]


class PropertyTest(Struct, frozen=True, forbid_unknown_fields=True):
    """A condition on a property, as `property_condition` reads it."""

    property: str
    op: str = "="
    value: str | float | int | bool | list[str | float | int | bool] | None = None


class Step(Struct, frozen=True, forbid_unknown_fields=True):
    """What an event must have to be a step; empty texts ask for nothing."""

    event_type: Name | None = None
    tool_name: Name | None = None
    action: Name | None = None
    where: tuple[PropertyTest, ...] = ()


class FunnelBody(Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """The body of a question. Times as in query strings; filters by the names and with the texts of query strings."""

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
        """Return what is said of the range, as a query string would say it."""
        said = {"hours": self.hours, "from": self.since, "to": self.until}
        return {name: str(value) for name, value in said.items() if value is not None}


class Steps(NamedTuple):
    """The steps as read_funnel takes them: of each its names and a jsonpath on properties, or None, and its values."""

    event_types: list[str | None]
    tool_names: list[str | None]
    actions: list[str | None]
    conditions: list[str | None]
    values: str


def steps_of(sent: tuple[Step, ...]) -> Steps:
    """Return the steps. Raises Invalid."""
    predicates = [predicate(_conditions(step, f"steps[{place}]")) for place, step in enumerate(sent)]
    values = [None if found.values is None else msgspec.Raw(found.values.encode()) for found in predicates]
    return Steps(
        [step.event_type or None for step in sent],
        [step.tool_name or None for step in sent],
        [step.action or None for step in sent],
        [found.of_properties for found in predicates],
        msgspec.json.encode(values).decode(),
    )


def _conditions(step: Step, place: str) -> tuple[Condition, ...]:
    """Return the conditions on properties of a step, all of which was checked."""
    given: Mapping[str, Any] = msgspec.structs.asdict(step)
    for name in NAMED:
        if "\0" in (given[name] or ""):
            raise Invalid("must not hold a NUL character", f"{place}.{name}")
    if not any(given.values()):
        raise Invalid(f"must have one of {', '.join(NAMED)} and where", place)
    found = []
    for number, test in enumerate(step.where):
        try:
            found.append(property_condition(msgspec.structs.asdict(test)))
        except Malformed as error:
            raise Invalid(str(error), f"{place}.where[{number}]") from error
    try:
        return checked(found)
    except Malformed as error:
        raise Invalid(str(error), f"{place}.where") from error


class Breakdown(NamedTuple):
    """What runs are divided by, as event_key takes it: a dimension, and for properties a path."""

    dimension: str | None = None
    path: list[str] | None = None


def breakdown_of(text: str | None) -> Breakdown:
    """Return what a text names. Raises Invalid."""
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
