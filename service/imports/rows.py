"""Turns a row of a file into an event. It checks the rules of events, adds an id, and moves the timestamp."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

import msgspec

from service.errors import TooLarge
from service.imports.digest_counts import DigestCounts
from service.imports.formats import Row
from service.ingest.decoding import decode_event
from service.ingest.event import MAX_EVENT_BYTES, Event
from service.ingest.refusals import EventError


class _Named(msgspec.Struct):
    event_id: str | None = None
    id: str | None = None


_names = msgspec.json.Decoder(_Named)


class Rows:
    """Turns rows into events, in the order of the file. shift: added to every timestamp.

    A row without an id gets one from the SHA-256 of its content before the shift, and from its number among equal rows.
    So it has the same id in every run and in every format.
    """

    def __init__(self, shift: timedelta) -> None:
        self._shift = shift
        self._occurrences = DigestCounts()

    def close(self) -> None:
        """Drop the counts of equal rows."""
        self._occurrences.close()

    def event(self, row: Row) -> Event | EventError:
        """Return the event to append, or the error of the row. Raises OSError when the disk is full."""
        if isinstance(row.element, EventError):
            return row.element
        try:
            event = decode_element(row.element)
            if not _has_id(row.element):
                event = event._replace(event_id=self._id_of(event))
            # Without a shift skip the copy, which takes a quarter of the time of decoding.
            return event._replace(timestamp=event.timestamp + self._shift) if self._shift else event
        except EventError as error:
            return error
        except OverflowError:
            message = f"timestamp: expected one that stays within the years 1 to 9999 when moved by {self._shift}"
            return EventError("invalid_field", message, "timestamp")

    def _id_of(self, event: Event) -> str:
        digest = sha256(_content(event)).digest()
        return f"row_{digest[:16].hex()}_{self._occurrences.add(digest)}"


def decode_element(element: bytes) -> Event:
    """Return the event of a JSON object, with a new id when it has none. Raises EventError."""
    try:
        return decode_event(element)
    except TooLarge:
        raise EventError("too_large", f"the row has more than {MAX_EVENT_BYTES:,} bytes") from None


def _has_id(element: bytes) -> bool:
    named = _names.decode(element)
    return bool(named.event_id or named.id)


def _content(event: Event) -> bytes:
    """Return everything in an event except its id. The order of keys and blanks do not matter."""
    properties = None
    if event.properties is not None:
        properties = json.dumps(json.loads(event.properties), sort_keys=True, separators=(",", ":"))
    return msgspec.json.encode([properties, *event._replace(event_id="", properties=None)])
