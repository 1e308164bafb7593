"""The question which pages visits go to from a page, or come from."""

from __future__ import annotations

from datetime import datetime

from service.archive.checks import columns_of_checks, names_of_checks
from service.archive.questions import Question, Range, columns_of_division, names_of_division
from service.questions.conditions import Path
from service.questions.divisions import ENTRY_PAGE


class Paths(Question, frozen=True, tag=True, kw_only=True):
    """The pages that visits view after their first view of a page, or before it.

    The visits are those with an event that passes, each with all its page views of the range. A page that is viewed
    several times in a row counts once. backwards: before it, the nearest first. depth: how many pages to follow. most:
    how many pages to name after each.
    """

    since: datetime
    until: datetime
    page: str
    backwards: bool
    depth: int
    most: int

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return columns_of_division(ENTRY_PAGE) | columns_of_checks(self.checks)

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return nothing: events that fail the checks belong to visits, too."""
        return {}

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        return names_of_checks(self.checks) | names_of_division(ENTRY_PAGE, None)
