"""The filters of reads. They have the same names in every question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from service.questions.condition_grammar import parse_conditions
from service.questions.conditions import Conditions, Malformed, checked, equals
from service.questions.parameters import invalid, switch

TEXTS = ("session_id", "user_id", "tool_name", "event_type", "action", "risk_mode")
# service.questions.segments looks up `segment`.
NAMES = frozenset({*TEXTS, "demo_mode", "where", "segment"})


@dataclass(frozen=True, slots=True)
class Filters:
    """The values that events must have, None for any value."""

    session_id: str | None = None
    user_id: str | None = None
    tool_name: str | None = None
    event_type: str | None = None
    action: str | None = None
    demo_mode: bool | None = None
    risk_mode: str | None = None
    where: Conditions = ()

    def __bool__(self) -> bool:
        """Whether there is any filter."""
        return self != NOTHING

    def and_also(self, others: Filters) -> Filters:
        """Return the filters that pass only what passes both. Raises Malformed when they have too many conditions."""
        merged: dict[str, str | bool] = {}
        conditions = [*self.where, *others.where]
        for field in fields(self):
            mine, theirs = getattr(self, field.name), getattr(others, field.name)
            if field.name != "where" and (mine, theirs) != (None, None):
                merged[field.name] = theirs if mine is None else mine
                if None not in (mine, theirs) and mine != theirs:
                    conditions.append(equals(field.name, theirs))
        return replace(NOTHING, **merged, where=checked(conditions))  # type: ignore[arg-type]


NOTHING = Filters()


def filters(given: Mapping[str, str]) -> Filters:
    """Return the filters in the parameters. An empty text is not a filter. Raises InvalidParameter."""
    texts = {name: _storable(name, given.get(name)) for name in TEXTS}
    try:
        where = parse_conditions(given.get("where", ""))
    except Malformed as error:
        raise invalid("where", str(error)) from error
    demo_mode = switch(given, "demo_mode", default=True) if "demo_mode" in given else None
    return Filters(**texts, demo_mode=demo_mode, where=where)


def _storable(name: str, text: str | None) -> str | None:
    """Return a text that a stored event can have, None for an empty one. Raises InvalidParameter."""
    try:
        (text or "").encode()
    except UnicodeEncodeError as error:
        raise invalid(name, "must be UTF-8: it holds half a character") from error
    return text or None
