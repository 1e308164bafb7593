"""The reads of the service, without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.cohorts import Cohorts
from service.counting import Counting
from service.event_list import EventList
from service.property_values import PropertyValues
from service.raw_events import STATEMENT_SECONDS, RawEvents
from service.segments import Segments
from service.summary import Summary
from service.timelines import Timelines
from service.trends import Trends
from sql.database import Database
from tests.log import NOW


@dataclass(frozen=True)
class Reads:
    """What answers, at the time NOW."""

    raw_events: RawEvents
    segments: Segments
    counting: Counting
    trends: Trends
    summary: Summary
    properties: PropertyValues
    timelines: Timelines
    cohorts: Cohorts
    event_list: EventList


@asynccontextmanager
async def reads(database: Database, url: str, seconds: int = STATEMENT_SECONDS) -> AsyncIterator[Reads]:
    """Give the reads of a database; a question about raw events may take so many seconds."""
    raw_events = RawEvents(url, seconds)
    segments = Segments(database, database)
    counting = Counting(database, raw_events)
    try:
        yield Reads(
            raw_events,
            segments,
            counting,
            Trends(counting, segments, lambda: NOW),
            Summary(counting, segments, lambda: NOW),
            PropertyValues(raw_events, segments, lambda: NOW),
            Timelines(database, lambda: NOW),
            Cohorts(database, raw_events, segments, lambda: NOW),
            EventList(database, raw_events, segments, lambda: NOW),
        )
    finally:
        await raw_events.close()
