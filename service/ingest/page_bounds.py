"""What the key of pages may send: events of about the time when they are sent.

Everyone can read such a key in a page. So it must not write into a past that people have looked at already.
"""

from __future__ import annotations

from datetime import datetime

from service.ingest.event import OUTBOX_AGE, PAGE_AHEAD, Event
from service.ingest.outcomes import AHEAD_FOR_PAGE, OLD_FOR_PAGE


def page_refusal(event: Event, now: datetime) -> str | None:
    """Return the outcome of an event that the key of pages may not send, None for one that it may."""
    if event.timestamp < now - OUTBOX_AGE:
        return OLD_FOR_PAGE
    return AHEAD_FOR_PAGE if event.timestamp > now + PAGE_AHEAD else None
