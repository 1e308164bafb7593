"""What divides events: a field, a property, or the page with which their visit began or ended."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from service.questions.condition_grammar import field_path
from service.questions.conditions import PROPERTIES, Malformed
from service.questions.parameters import SHOWN, invalid
from sql.hourly import DIMENSIONS

ENTRY_PAGE, EXIT_PAGE = OF_VISITS = ("entry_page", "exit_page")
IDS = ("session_id", "user_id")
# Everything that divides events, beside properties.
DIVISIONS = (*DIMENSIONS, *OF_VISITS, *IDS)


class Division(NamedTuple):
    """What gives an event its key. dimension: one of DIVISIONS, or `properties` with the names of a path."""

    dimension: str
    path: tuple[str, ...] | None = None


def division(name: str, text: str, known: Collection[str] = DIVISIONS) -> Division:
    """Return what a text names: one of `known`, or a property. Raises InvalidParameter for the parameter `name`."""
    try:
        path = field_path(text)
    except Malformed as error:
        raise invalid(name, str(error)) from error
    if path is not None and path[0] == PROPERTIES:
        return Division(PROPERTIES, path[1:])
    if text in known:
        return Division(text)
    names = f"one of {', '.join(known)}, or " if known else ""
    raise invalid(name, f"must be {names}a property such as properties.plan, not {text[:SHOWN]!r}")
