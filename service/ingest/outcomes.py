"""The outcomes of events that were offered to the log, and the error of each outcome."""

from __future__ import annotations

from collections.abc import Callable

from service.errors import DiskFull, Expired, Future, IdReused, ServiceError, Unavailable
from service.ingest.event import OUTBOX_AGE, PAGE_AHEAD
from service.ingest.refusals import EventError

# The outcomes. EXPIRED, FUTURE and ID_REUSED come from append_events.
STORED = "stored"
DUPLICATE = "duplicate"
REFUSED = "refused"  # by PostgreSQL
UNAVAILABLE = "unavailable"  # not known to be stored
DISK_FULL = "disk_full"  # not known to be stored, because the disk is full
EXPIRED = "expired"
FUTURE = "future"
ID_REUSED = "id_reused"
OLD_FOR_PAGE = "old_for_page"  # older than the key of pages may send
AHEAD_FOR_PAGE = "ahead_for_page"  # further ahead than the key of pages may send
# With these an event may be sent again.
NOT_KNOWN = frozenset({UNAVAILABLE, DISK_FULL})
ON_FULL_DISK = (
    "the disk of the service is full: whoever runs it must free space;"
    " the event is not known to be stored, send it again then with the same event_id"
)

_REASONS: dict[str, Callable[[], ServiceError]] = {
    EXPIRED: lambda: Expired(
        "the timestamp is before the horizon: raw events of that day are no longer kept", "timestamp"
    ),
    FUTURE: lambda: Future("the timestamp is more than 24 hours ahead", "timestamp"),
    ID_REUSED: lambda: IdReused("another session has sent this event_id with this timestamp", "event_id"),
    OLD_FOR_PAGE: lambda: Expired(
        f"the timestamp is more than {OUTBOX_AGE.days} days ago, but this write key is for pages:"
        " send it with a server key",
        "timestamp",
    ),
    AHEAD_FOR_PAGE: lambda: Future(
        f"the timestamp is more than {PAGE_AHEAD.seconds // 60} minutes ahead, but this write key is for pages:"
        " send it with a server key",
        "timestamp",
    ),
    REFUSED: lambda: EventError("invalid_field", "PostgreSQL refuses this event"),
    UNAVAILABLE: lambda: Unavailable("not known to be stored; send it again with the same event_id"),
    DISK_FULL: lambda: DiskFull(ON_FULL_DISK),
}


def not_known(error: Unavailable) -> str:
    """Return the outcome of events that are not known to be stored because of an error."""
    return DISK_FULL if isinstance(error, DiskFull) else UNAVAILABLE


def why_not_stored(outcome: str) -> ServiceError:
    """Return the error that says why a valid event was not stored."""
    return _REASONS[outcome]()
