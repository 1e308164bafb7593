"""The service's reads, called without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from service.archive.engine import SECONDS
from service.errors import ServiceError
from service.questions.goals import Goals
from service.questions.segments import Segments
from service.reports.cohorts import Cohorts
from service.reports.conversions import Conversions
from service.reports.counts import Counts
from service.reports.event_list import EventList
from service.reports.properties import PropertyValues
from service.reports.raw_events import RawEvents
from service.reports.shards import Shards
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.top_keys import TopKeys
from service.reports.trends import Trends
from service.reports.visits import Visits
from sql.database import Database
from tests.support.engines import NO_ARCHIVE, InProcess
from tests.support.log import NOW


@dataclass(frozen=True)
class Reads:
    """The reads of a database at the time NOW."""

    raw_events: RawEvents
    segments: Segments
    counts: Counts
    trends: Trends
    summary: Summary
    properties: PropertyValues
    timelines: Timelines
    cohorts: Cohorts
    event_list: EventList
    top_keys: TopKeys
    visits: Visits
    goals: Goals
    conversions: Conversions


@asynccontextmanager
async def reads(
    database: Database, url: str, seconds: int = SECONDS, *, archive: Path = NO_ARCHIVE
) -> AsyncIterator[Reads]:
    """Give the reads of a database; `seconds` limits each question about raw events."""
    raw_events = RawEvents(url, InProcess(url, archive, seconds), seconds)
    try:
        yield reads_on(database, raw_events)
    finally:
        await raw_events.close()


def reads_on(database: Database, raw_events: RawEvents) -> Reads:
    """Return the reads of a database; questions about raw events use the connections of `raw_events`."""
    segments = Segments(database, database)
    goals = Goals(database, database)
    shards = Shards(database)
    raw_events = raw_events.of(shards)
    counts = Counts(database, raw_events, shards)
    return Reads(
        raw_events,
        segments,
        counts,
        Trends(counts, segments, lambda: NOW),
        Summary(counts, segments, lambda: NOW),
        PropertyValues(raw_events, segments, lambda: NOW),
        Timelines(database, raw_events, lambda: NOW),
        Cohorts(database, raw_events, segments, lambda: NOW),
        EventList(database, raw_events, shards, segments, lambda: NOW),
        TopKeys(counts, segments, lambda: NOW),
        Visits(counts, segments, lambda: NOW),
        goals,
        Conversions(raw_events, segments, goals, lambda: NOW),
    )


async def refused(work: Any) -> ServiceError:
    with pytest.raises(ServiceError) as error:
        await work
    return error.value
