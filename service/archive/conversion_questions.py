"""The question how many visits reach a goal."""

from __future__ import annotations

from datetime import datetime

from service.archive.checks import Checks, columns_of_checks, names_of_checks
from service.archive.questions import Question, Range, columns_of_division, names_of_division
from service.questions.conditions import PROPERTIES, Path
from service.questions.divisions import Division


class Conversions(Question, frozen=True, tag=True, kw_only=True):
    """The sessions with an event that passes, and those of them that reach a goal with any event of the range.

    goal: the checks that an event of the goal passes. value: the path of the property whose numbers it is worth, or
    None. divided_by, path: a Division whose keys divide the sessions, or None. most: how many keys to name, those with
    the most sessions, the rest as (other).
    """

    since: datetime
    until: datetime
    goal: Checks
    value: tuple[str, ...] | None = None
    divided_by: str | None = None
    path: tuple[str, ...] | None = None
    most: int

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    @property
    def division(self) -> Division | None:
        """What divides the sessions."""
        return None if self.divided_by is None else Division(self.divided_by, self.path)

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        value = {PROPERTIES} if self.value else set()
        columns = columns_of_division(self.divided_by) | columns_of_checks([*self.checks, *self.goal])
        return {"timestamp", "session", "user_id"} | value | columns

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return nothing: events of the goal need not pass the checks."""
        return {}

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        value = {self.value[0]} if self.value else set()
        names = names_of_checks([*self.checks, *self.goal])
        return value | names | names_of_division(self.divided_by, self.path)
