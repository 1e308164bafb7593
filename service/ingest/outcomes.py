"""What became of an event that was offered to the log, and what its sender is told."""

from __future__ import annotations

from service.ingest.appender import REFUSED, UNAVAILABLE

DUPLICATE = "duplicate"

# Why an event that could be read was not stored: status of a single event, and what to say.
REASONS = {
    "expired": (422, "timestamp", "the timestamp is before the horizon: raw events of that day are no longer kept"),
    "future": (422, "timestamp", "the timestamp is more than 24 hours ahead"),
    "id_reused": (422, "event_id", "another session has sent this event_id with this timestamp"),
    REFUSED: (400, None, "PostgreSQL refuses this event"),
    UNAVAILABLE: (503, None, "not known to be stored; send it again with the same event_id"),
}
