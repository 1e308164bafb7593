"""Joins the parts of the HTTP service. No other module does."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from litestar import Litestar

from service.console import configure_logs
from service.exports.export import Exports
from service.http.base_path import BasePath
from service.http.entry import Entry, answer_exception
from service.http.gate import Gate
from service.http.live_stream import Live
from service.http.metrics import Metrics
from service.http.routes import Reads, client_route, read_routes, state_routes
from service.http.track import Track
from service.http.work_thread import WorkThread
from service.http.worker import Closable, Worker
from service.ingest.appender import Appender
from service.ingest.disk_guard import guard_of
from service.openapi import swagger_page
from service.questions.segments import Segments
from service.reports.cohorts import Cohorts
from service.reports.counts import Counts
from service.reports.event_list import EventList
from service.reports.funnels import Funnels
from service.reports.proofs import Proofs
from service.reports.properties import PropertyValues
from service.reports.raw_events import RawEvents
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.trends import Trends
from service.settings import Settings, load
from service.web import client_script, dashboard_files, vendored
from sql.database import Database

# The clock of reports.
now = partial(datetime.now, UTC)


def create(settings: Settings | None = None) -> Entry:
    """Return the ASGI application; granian's workers call it."""
    settings = settings or load()
    configure_logs(settings.log_level, as_json=settings.log_json)
    return Service(settings).entry


class Service:
    """The parts of one worker, by name. kind: the class of the appender that stores events."""

    def __init__(self, settings: Settings, kind: type[Appender] = Appender) -> None:
        url = settings.database_url or ""
        # Reads have connections of their own, so that they never hold those that store events.
        self.database = Database(url, connections=8, read_only=True)
        # Health checks have connections of their own, so that long reads do not make the service look unready.
        self.looking = Database(url, connections=2, read_only=True)
        self.log = Database(url, connections=8, statement_seconds=5, lock_seconds=4)
        self.raw_events = RawEvents(url)
        self.appender = kind(self.log, settings.event_retention_days, disk=guard_of(url, settings.data_dir))
        self.work = WorkThread()
        self.metrics = Metrics()
        self.segments = Segments(self.database, self.log)
        self.shards = Shards(self.database)
        self.reads = self._reads(settings)
        closing: list[Closable] = [
            self.work,
            self.log,
            self.raw_events,
            self.reads.exports,
            self.looking,
            self.database,
        ]
        self.worker = Worker(self.appender, self.metrics, self._end_streams, closing)
        self.litestar = self._framework(settings)
        self.entry = Entry(
            BasePath(settings.base_path),
            Gate(settings),
            Track(self.appender, self.work, self.metrics.offered),
            EventList(self.database, self.raw_events, self.shards, self.segments, now),
            self.metrics,
            self.litestar,
        )

    def _reads(self, settings: Settings) -> Reads:
        counts = Counts(self.database, self.raw_events, self.shards)
        names_ids = settings.read_token is not None
        return Reads(
            cohorts=Cohorts(self.database, self.raw_events, self.segments, now),
            exports=Exports(settings.database_url or "", self.segments, now),
            funnels=Funnels(self.raw_events, self.segments, now, names_ids=names_ids),
            live=Live(self.database),
            proofs=Proofs(self.database, self.shards, now),
            properties=PropertyValues(self.raw_events, self.segments, now),
            rollups=Rollups(self.database, self.shards, now),
            segments=self.segments,
            summary=Summary(counts, self.segments, now),
            timelines=Timelines(self.database, now),
            trends=Trends(counts, self.segments, now),
        )

    def _framework(self, settings: Settings) -> Litestar:
        return Litestar(
            route_handlers=[
                *read_routes(self.reads),
                client_route(settings),
                *state_routes(self.looking, self.appender, self.metrics, settings),
                *dashboard_files.routes(),
                *vendored.routes(),
                *client_script.routes(),
            ],
            exception_handlers={Exception: answer_exception},
            lifespan=[self.worker.lifespan],
            openapi_config=swagger_page.config(),
            include_in_schema=False,
            logging_config=None,
        )

    def _end_streams(self) -> None:
        self.reads.live.close()
        self.reads.exports.end()
