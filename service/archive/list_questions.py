"""Questions for events themselves, and for what is known of one session or user."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from msgspec import Struct

from service.archive.checks import columns_of_checks
from service.archive.questions import Question, Range

# After every event.
END = datetime.max.replace(tzinfo=UTC)
# The columns of an event in an answer, with what tells two events of the same time apart.
EVENT_COLUMNS = (
    "event_id",
    "event_type",
    "session_id",
    "user_id",
    "tool_name",
    "action",
    "properties",
    "demo_mode",
    "timestamp",
    "received_at",
    "shard",
)


class Place(Struct, frozen=True, array_like=True):
    """Where an event is in the order of all events."""

    timestamp: datetime
    event_id: str
    shard: int


class OfAllEvents(Question, frozen=True, kw_only=True):
    """A question about the log as it is: quarantined events are a part of it."""

    leaves_out_quarantined: ClassVar[bool] = False


class HourCounts(OfAllEvents, frozen=True, tag=True, kw_only=True):
    """How many events of [since, until) pass, by hour."""

    since: datetime
    until: datetime

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return {"timestamp"} | columns_of_checks(self.checks)


class EventPage(OfAllEvents, frozen=True, tag=True, kw_only=True):
    """The events of [since, until) that pass, from one end of the range or after a place: `most` of them.

    There are fewer when their texts have more than `most_bytes`, but at least one.
    """

    since: datetime
    until: datetime
    after: Place | None = None
    oldest_first: bool = False
    most: int
    most_bytes: int

    @property
    def range(self) -> Range:
        """The range of the events."""
        return self.since, self.until

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return {"position", *EVENT_COLUMNS} | columns_of_checks(self.checks)

    def property_names(self) -> None:
        """Return None, because a page has all properties."""
        return


class SessionSeen(OfAllEvents, frozen=True, tag=True, kw_only=True):
    """What all kept events tell of the session that the checks name. since, until: the range whose events to count."""

    since: datetime
    until: datetime
    most_users: int

    @property
    def range(self) -> Range:
        """Everything."""
        return None, END

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return {"timestamp", "user_id"} | columns_of_checks(self.checks)


class UserSeen(OfAllEvents, frozen=True, tag=True, kw_only=True):
    """What all kept events tell of the user that the checks name, and the sessions. since, until: as in SessionSeen."""

    since: datetime
    until: datetime
    most_sessions: int

    @property
    def range(self) -> Range:
        """Everything."""
        return None, END

    def needs(self) -> set[str]:
        """Return the columns of events that the answer needs."""
        return {"timestamp", "session_id"} | columns_of_checks(self.checks)


Listed = HourCounts | EventPage | SessionSeen | UserSeen
