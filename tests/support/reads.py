"""The reads of the service, without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from service.questions.segments import Segments
from service.reports.cohorts import Cohorts
from service.reports.counts import Counting
from service.reports.event_list import EventList
from service.reports.properties import PropertyValues
from service.reports.raw_events import STATEMENT_SECONDS, RawEvents
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.trends import Trends
from sql.database import Database
from tests.support.log import NOW


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
