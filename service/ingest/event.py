"""The event in the form that the appender takes, and the limits of what clients send."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

# Limits of a decoded body.
MAX_EVENT_BYTES = 65_536
MAX_BATCH_BYTES = 8_388_608
MAX_BATCH_EVENTS = 10_000
# Limit of the JSON text, as sent.
MAX_PROPERTIES_BYTES = 16_384
# Limits of what comes with a key of pages: one batch of the browser client (BATCH and BATCH_BYTES of
# service/web/client/storage.js, which are characters of up to three bytes, and one more event), how old the events of
# its outbox may be, and how wrong a clock may be that no answer of the service has corrected yet.
MAX_PAGE_EVENTS = 200
MAX_PAGE_BYTES = 1_048_576
OUTBOX_AGE = timedelta(days=7)
PAGE_AHEAD = timedelta(minutes=5)


class Event(NamedTuple):
    """An event to append. The append statement takes its columns in this order."""

    event_id: str
    session_id: str
    user_id: str | None
    event_type: str
    tool_name: str | None
    action: str | None
    properties: str | None  # JSON text as sent
    demo_mode: bool
    timestamp: datetime  # UTC
