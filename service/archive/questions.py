"""Questions about raw events, in the form in which they travel to the process that answers them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import ClassVar

from msgspec import Struct

from service.archive.checks import Check, Checks, columns_of_checks, names_of_checks
from service.questions.conditions import PROPERTIES, Path
from service.questions.divisions import OF_VISITS
from service.questions.page_events import PAGE

# Fields that hold text as the log stores it.
STORED_TEXTS = ("session_id", "user_id", "tool_name", "event_type", "action")
WHOLE = 0  # the number of the bucket that is all of a trend's time
PART = "part"  # the measure of a trend that counts the events of each key of its division

Range = tuple[datetime | None, datetime]


class Step(Struct, frozen=True, array_like=True):
    """A step of a funnel: the checks that its event passes."""

    checks: Checks


class Question(Struct, frozen=True, tag=True, kw_only=True):
    """A question about the events that pass the checks.

    snapshot: one of PostgreSQL that its transaction lends, None for a new one. shards: those whose events it is about,
    None for all. leaves_out_quarantined: whether it is not about quarantined events.
    """

    leaves_out_quarantined: ClassVar[bool] = True
    checks: Checks = ()
    snapshot: str | None = None
    shards: tuple[int, ...] | None = None

    @property
    def range(self) -> Range:
        """The start of the range of events that the answer needs, None for the first event, and its end."""
        raise NotImplementedError

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        raise NotImplementedError

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return paths at which every event of the answer has one of some texts."""
        return dict(_texts(self.checks))

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at; None for all."""
        return names_of_checks(self.checks)


class Trend(Question, frozen=True, tag=True, kw_only=True):
    """Counts in buckets: the nth is [bounds[n], bounds[n + 1]).

    named: dimensions whose keys to count, and any of `tool_uses`, `sessions`, `users`, `identified` and `part`. keys:
    the keys to count, the rest as (other); None for all. divided_by, path: a Division whose keys divide sessions, users
    and tool uses, and with `part` events, too. most: how many keys to name in each bucket and dimension, the largest;
    None for all. whole: also count all buckets as one, the bucket WHOLE, and name keys only there.
    """

    bounds: list[datetime]
    named: tuple[str, ...] = ()
    keys: tuple[str, ...] | None = None
    divided_by: str | None = None
    path: tuple[str, ...] | None = None
    most: int | None = None
    whole: bool = False

    @property
    def range(self) -> Range:
        """The first and the last bound."""
        return self.bounds[0], self.bounds[-1]

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        columns = {"sessions": "session", "users": "user_id", "tool_uses": "tool_name"}
        named = {columns.get(name, name) for name in self.named if name not in ("identified", PART)}
        return {"timestamp"} | named | columns_of_division(self.divided_by) | columns_of_checks(self.checks)

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return paths at which every event of the answer has one of some texts."""
        return {} if self.divided_by in OF_VISITS else super().texts()

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        return names_of_checks(self.checks) | names_of_division(self.divided_by, self.path)

    def counts(self, measure: str) -> bool:
        """Return whether a measure is counted. Sessions with a user are when both sessions and users are."""
        return {"sessions", "users"} <= {*self.named} if measure == "identified" else measure in self.named

    @property
    def counts_tools(self) -> bool:
        """Whether events with a tool are counted."""
        return "tool_uses" in self.named or "tool_name" in self.named


class Funnel(Question, frozen=True, tag=True, kw_only=True):
    """How many sessions, or users, reached each step.

    strict: no other event between two steps. divided_by: a dimension, or `properties` and a path, whose keys at the
    first event divide the runs. most_keys: keys to name. most_ids: dropped ids to name for each step.
    """

    since: datetime
    until: datetime
    by_user: bool
    strict: bool
    window_minutes: int
    steps: tuple[Step, ...]
    divided_by: str | None = None
    path: tuple[str, ...] | None = None
    most_keys: int
    most_ids: int

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        actor = {"user_id"} if self.by_user else {"session", *(["session_id"] if self.most_ids else [])}
        checks = [*self.checks, *(check for step in self.steps for check in step.checks)]
        divided = [self.divided_by] if self.divided_by else []
        return {"timestamp", "position", "shard", *divided} | actor | columns_of_checks(checks)

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return paths at which every event of the answer has one of some texts.

        Events that are no step count only between the steps of a strict run.
        """
        found = super().texts()
        of_steps = [dict(_texts(step.checks)) for step in self.steps]
        for path in set() if self.strict else set.intersection(*map(set, of_steps)) - set(found):
            found[path] = tuple(dict.fromkeys(text for of_step in of_steps for text in of_step[path]))
        return found

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at."""
        checks = [*self.checks, *(check for step in self.steps for check in step.checks)]
        return names_of_checks(checks) | ({self.path[0]} if self.path else set())


class Cohorts(Question, frozen=True, tag=True, kw_only=True):
    """How many owners came back, by the period of their first event that passes the checks.

    The nth period is [bounds[n], bounds[n + 1]). by: `user` or `visitor`. return_event_type: only such events count as
    coming back, None for any.
    """

    bounds: list[datetime]
    by: str
    return_event_type: str | None = None

    @property
    def range(self) -> Range:
        """Everything before the last bound, because an owner's first event decides."""
        return None, self.bounds[-1]

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        owner = ["user_id", "session"] if self.by == "visitor" else ["user_id"]
        return {"timestamp", *owner, *(["event_type"] if self.return_event_type else [])} | columns_of_checks(
            self.checks
        )

    def texts(self) -> dict[Path, tuple[str, ...]]:
        """Return nothing: events that fail the checks also count, as coming back."""
        return {}


class Properties(Question, frozen=True, tag=True, kw_only=True):
    """The properties of events, paths of up to `most_depth` names, or only the one at `wanted`, however deep."""

    since: datetime
    until: datetime
    wanted: tuple[str, ...] | None = None
    most_depth: int
    most_properties: int
    most_values: int

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return {"timestamp", PROPERTIES} | columns_of_checks(self.checks)

    def property_names(self) -> set[str] | None:
        """Return the names, at the top level of properties, that the answer looks at; None for all."""
        return None if self.wanted is None else {self.wanted[0]} | names_of_checks(self.checks)


Asked = Trend | Funnel | Cohorts | Properties


def columns_of_division(dimension: str | None) -> set[str]:
    """Return the columns that the keys of a division need."""
    if dimension in OF_VISITS:
        return {"timestamp", "position", "shard", "session", "event_type", PROPERTIES}
    return {dimension} if dimension else set()


def names_of_division(dimension: str | None, path: tuple[str, ...] | None) -> set[str]:
    """Return the names, at the top level of properties, that the keys of a division need."""
    if dimension in OF_VISITS:
        return {PAGE[0]}
    return {path[0]} if path else set()


def _texts(checks: Iterable[Check]) -> Iterator[tuple[Path, tuple[str, ...]]]:
    for check in checks:
        if check.operator == "=" and not (check.numbers or check.flags or check.ignoring_case):
            yield check.path, check.texts
