"""Goals: what visitors are to reach, as conditions on events under a name."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from service.errors import Invalid, NotFound, TooMany
from service.questions.condition_grammar import parse_conditions
from service.questions.conditions import PROPERTIES, Clause, Condition, Conditions, Malformed, Path, checked, equals
from service.questions.divisions import division
from service.questions.hours import time_text
from service.questions.page_events import PAGE, PAGE_VIEWED
from service.questions.parameters import SHOWN, invalid
from service.questions.segments import check_name
from sql.database import Database, Row

MOST_GOALS = 1_000
LONGEST = 4_000

Text = Annotated[str, msgspec.Meta(max_length=LONGEST)]


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The body that saves a goal. An event reaches it when it passes all that is given; empty texts count as absent.

    path: of a page that is viewed. value: the property whose numbers the goal is worth.
    """

    event_type: Annotated[str, msgspec.Meta(max_length=128)] = ""
    where: Text = ""
    path: Text = ""
    value: Text = ""

    def conditions(self) -> Conditions:
        """Return the conditions of the goal's events. Raises Invalid."""
        found: list[Clause] = [equals("event_type", self.event_type)] if self.event_type else []
        if self.path:
            page = Condition((PROPERTIES, *PAGE), "=", (self.path,))
            found += [equals("event_type", PAGE_VIEWED), page]
        try:
            found += parse_conditions(self.where)
            return checked(found)
        except Malformed as error:
            raise invalid("where", str(error)) from error

    def value_path(self) -> Path | None:
        """Return the path of the property that holds the value, None without one. Raises Invalid."""
        return division("value", self.value, known=()).path if self.value else None


class Goals:
    """The goals of a site. Reads them through `database`; saves and deletes them through `writable`.

    site: its number.
    """

    def __init__(self, database: Database, writable: Database, site: int = 0) -> None:
        self._database = database
        self._writable = writable
        self._site = site

    async def named(self, name: str, field: str = "name") -> Goal:
        """Return a goal. Raises InvalidParameter for an unknown one, with the field that names it."""
        # PostgreSQL takes no text with NUL.
        is_text = "\0" not in name
        found = is_text and await self._database.rows(self._database.statements.read_goal, self._site, name)
        if not found:
            raise invalid(field, f"must be the name of a saved goal, not {name[:SHOWN]!r}")
        return msgspec.json.decode(found[0]["definition"], type=Goal)

    async def page(self) -> dict[str, Any]:
        """Return all goals as an answer."""
        rows = await self._database.rows(self._database.statements.list_goals, self._site)
        return {"ok": True, "count": len(rows), "goals": [_goal(row) for row in rows]}

    async def save(self, name: str, goal: Goal) -> dict[str, Any]:
        """Save a goal. It replaces one of the same name. Raises Invalid, and TooMany beyond MOST_GOALS."""
        check_name(name, is_new=True)
        if any("\0" in text for text in (goal.event_type, goal.where, goal.path, goal.value)):
            raise Invalid("must not hold a NUL character", "goal")
        if not goal.conditions():
            raise Invalid("must have one of event_type, path and where", "goal")
        goal.value_path()
        definition = msgspec.json.encode(goal).decode()
        rows = await self._writable.rows(self._writable.statements.save_goal, self._site, name, definition, MOST_GOALS)
        if not rows:
            raise TooMany(f"there are {MOST_GOALS} goals already; delete one first")
        return {"ok": True, "goal": _goal(rows[0])}

    async def delete(self, name: str) -> dict[str, Any]:
        """Delete a goal. Raises Invalid and NotFound."""
        check_name(name)
        rows = await self._writable.rows(self._writable.statements.delete_goal, self._site, name)
        if not rows:
            raise NotFound(f"there is no goal {name[:SHOWN]!r}")
        return {"ok": True, "name": name}


def _goal(row: Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        **msgspec.json.decode(row["definition"]),
        "created_at": time_text(row["created_at"]),
        "updated_at": time_text(row["updated_at"]),
    }
