"""Questions for the keys that have the most events, sessions or visitors."""

from __future__ import annotations

from datetime import datetime

from service.archive.checks import columns_of_checks, names_of_checks
from service.archive.questions import Question, Range, columns_of_division, names_of_division
from service.questions.conditions import Path
from service.questions.divisions import OF_VISITS


class Top(Question, frozen=True, tag=True, kw_only=True):
    """The largest keys of a Division: divided_by, path.

    rank: `events`, `sessions` or `visitors`. counts_members: whether to count sessions and visitors. search: a text
    that a key must have, in any case. most: how many keys to name.
    """

    since: datetime
    until: datetime
    divided_by: str
    path: tuple[str, ...] | None = None
    rank: str = "events"
    counts_members: bool = False
    search: str | None = None
    most: int

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        members = {"session", "user_id"} if self.counts_members else set()
        return {"timestamp"} | members | columns_of_division(self.divided_by) | columns_of_checks(self.checks)

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return paths at which every event of the answer has one of some texts."""
        return {} if self.divided_by in OF_VISITS else super().texts()

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        return names_of_checks(self.checks) | names_of_division(self.divided_by, self.path)
