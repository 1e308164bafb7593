"""Pages of events: where one begins, how much it holds, and the form of events in answers."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec

from service.archive.list_questions import END, Place
from service.questions.hours import time_text
from service.questions.parameters import invalid
from sql.database import Row

MOST_EVENTS = 1_000
# The most bytes of properties in one page. jsonb writes out every digit, so that 16 KiB may become a megabyte.
MOST_BYTES = 8 * 1024 * 1024

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Event = Row | Mapping[str, Any]


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Where a page begins: after the event (timestamp, event_id, shard), within the range [since, until).

    The first page begins at an end of the range.
    """

    since: Moment
    timestamp: Moment
    event_id: Annotated[str, msgspec.Meta(max_length=128, pattern="^[^\\x00]*$")]
    shard: Annotated[int, msgspec.Meta(ge=0, lt=2**31)]
    until: Moment = END

    @property
    def place(self) -> Place:
        """The last event of the page before."""
        return Place(self.timestamp, self.event_id, self.shard)


@dataclass(frozen=True, slots=True)
class Page:
    """Some events in their order. more: whether another one follows. sources: where they are from."""

    events: list[Event]
    more: bool
    sources: frozenset[str]


# Takes the largest number of events, and returns a page of them.
Read = Callable[[int], Awaitable[Page]]


async def joined(limit: int, *reads: Read) -> Page:
    """Return the page of several reads, each of the time after that of the read before."""
    whole = Page([], more=False, sources=frozenset())
    for read in reads:
        if whole.more:
            break
        page = await read(limit - len(whole.events))
        whole = Page([*whole.events, *page.events], page.more, whole.sources | page.sources)
    fitting = list(_fitting(whole.events))
    return replace(whole, events=fitting, more=whole.more or len(fitting) < len(whole.events))


async def page_of(events: AsyncIterable[Event], limit: int, source: str) -> Page:
    """Return a page of at most `limit` events; no more are read than it needs."""
    page: list[Event] = []
    size = 0
    async for event in events:
        size += _size(event)
        if len(page) == limit or (page and size > MOST_BYTES):
            return Page(page, more=True, sources=frozenset([source]))
        page.append(event)
    return Page(page, more=False, sources=frozenset([source] if page else []))


def _fitting(events: Iterable[Event]) -> Iterator[Event]:
    size = 0
    for place, event in enumerate(events):
        size += _size(event)
        if place and size > MOST_BYTES:
            return
        yield event


def _size(event: Event) -> int:
    return len((event["properties"] or "").encode())


def cursor_from(text: str) -> Cursor:
    """Return the cursor that `next_cursor` wrote. Raises InvalidParameter."""
    try:
        cursor = msgspec.json.decode(urlsafe_b64decode(text.encode()), type=Cursor)
        for moment in (cursor.since, cursor.timestamp, cursor.until):
            moment.astimezone(UTC)  # raises OverflowError outside of the calendar
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise invalid("cursor", "must be the next_cursor of an answer") from error
    return cursor


def next_cursor(cursor: Cursor, page: Page) -> str | None:
    """Return the cursor of the page after this one, as text; None when no event follows."""
    if not page.more:
        return None
    last = page.events[-1]
    place = Cursor(cursor.since, last["timestamp"], last["event_id"], last["shard"], cursor.until)
    return urlsafe_b64encode(msgspec.json.encode(place)).decode()


def event_of(event: Event) -> dict[str, Any]:
    """Return an event in the form of answers."""
    properties = event["properties"]
    return {
        "event_id": event["event_id"],
        "event_type": event["event_type"],
        "session_id": event["session_id"],
        "user_id": event["user_id"],
        "tool_name": event["tool_name"],
        "action": event["action"],
        "properties": None if properties is None else msgspec.Raw(properties.encode()),
        "demo_mode": event["demo_mode"],
        "timestamp": time_text(event["timestamp"]),
        "received_at": time_text(event["received_at"]),
    }
