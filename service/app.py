"""Joins the parts of the HTTP service. No other module does."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from litestar import Litestar

from service.access.key_uses import KeyUses
from service.access.limits import Attempts, Limits
from service.access.rules import Rules
from service.access.sites import Site, Sites
from service.alerts.checks import Checks
from service.alerts.deliveries import Deliveries
from service.alerts.numbers import Numbers
from service.alerts.watch import Watch
from service.alerts.worker_reasons import WorkerReasons
from service.archive.engine import Engine
from service.console import configure_logs
from service.exports.engines import KINDS, new_engine
from service.exports.export import Exports
from service.http.base_path import BasePath
from service.http.entry import Entry, answer_exception
from service.http.gate import Gate
from service.http.goal_routes import annotation_routes, goal_routes
from service.http.live_stream import Live
from service.http.metrics import Metrics
from service.http.overload import Overload
from service.http.routes import client_route, read_routes, state_routes
from service.http.settings_routes import SettingsRoutes
from service.http.shared_page import shared_routes
from service.http.sign_in import SignInRoutes
from service.http.site_reads import Reads, SiteReads
from service.http.track import Track
from service.http.work_thread import WorkThread
from service.http.worker import Closable, Worker
from service.ingest.appender import Appender
from service.ingest.disk_guard import guard_of
from service.openapi import swagger_page
from service.questions.annotations import Annotations
from service.questions.goals import Goals
from service.questions.saved_views import SavedViews
from service.questions.segments import Segments
from service.reports.cohorts import Cohorts
from service.reports.conversions import Conversions
from service.reports.counts import Counts
from service.reports.event_list import EventList
from service.reports.funnels import Funnels
from service.reports.paths import Paths
from service.reports.proofs import Proofs
from service.reports.properties import PropertyValues
from service.reports.raw_events import RawEvents
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.top_keys import TopKeys
from service.reports.trends import Trends
from service.reports.visits import Visits
from service.settings import Settings, load
from service.settings.temporary import roomy_folder
from service.visitors.visitors import Visitors
from service.web import assets, client_script, dashboard_files, vendored
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
        # Anyone may ask for health, as often as they like, but a revoked key must end in time.
        self.access = Database(url, connections=1, read_only=True)
        self.log = Database(url, connections=8, statement_seconds=5, lock_seconds=4)
        roomy = roomy_folder(settings)
        engine = Engine(url, settings.archive_dir, roomy, workers=KINDS * settings.workers)
        self.raw_events = RawEvents(url, engine)
        guard = guard_of(url, settings.data_dir)
        self.appender = kind(self.log, settings.log_days, disk=guard, new_names=settings.new_names_an_hour or None)
        self.work = WorkThread()
        limits = Limits(settings.events_per_address, settings.events_per_key, settings.workers)
        self.metrics = Metrics(Overload(self.appender.admission, limits).reasons)
        self.sites = Sites(self.access)
        self.live = Live(self.database)
        self.exports = Exports(url, Segments(self.database, self.log), partial(new_engine, url, settings), now)
        self.uses = KeyUses(self.log, now)
        self.rules = Rules(self.sites, settings, now, self.uses.note)
        self.gate = Gate(settings, self.sites, self.rules)
        self.reads = SiteReads(self.reads_of)
        closing: list[Closable] = [
            self.work,
            self.log,
            self.raw_events,
            self.exports,
            self.access,
            self.looking,
            self.database,
        ]
        reasons = WorkerReasons(self.log, self.appender)
        self.alerts = Watch(
            self.log,
            self.sites,
            reasons,
            Checks(self.database, self.numbers_of, reasons, settings),
            Deliveries(self.log, settings.smtp_url, self.metrics.delivered),
            self.numbers_of,
            now,
        )
        self.visitors = Visitors(settings, assets.VENDOR / assets.SOURCES_OF_VISITS, roomy)
        following = (self.alerts.follow, self.visitors.follow)
        self.worker = Worker(self.appender, self.sites, self.uses, following, self.metrics, self._end_streams, closing)
        self.litestar = self._framework(settings)
        self.entry = Entry(
            BasePath(settings.base_path),
            self.gate,
            limits,
            Track(self.appender, self.work, self.metrics.offered, now, self.visitors),
            self.reads,
            self.metrics,
            self.litestar,
        )

    def reads_of(self, site: Site) -> Reads:
        """Return the reads of a site."""
        shards = Shards(self.database, site.number, site.shards)
        raw_events = self.raw_events.of(shards)
        segments = Segments(self.database, self.log, site.number)
        goals = Goals(self.database, self.log, site.number)
        counts = Counts(self.database, raw_events, shards)
        return Reads(
            annotations=Annotations(self.database, self.log, site.number, site.time_zone),
            cohorts=Cohorts(self.database, raw_events, segments, now),
            events=EventList(self.database, raw_events, shards, segments, now),
            exports=self.exports.of(segments, shards),
            conversions=Conversions(raw_events, segments, goals, now),
            funnels=Funnels(raw_events, segments, goals, now),
            goals=goals,
            live=self.live.of(shards),
            paths=Paths(raw_events, segments, now),
            proofs=Proofs(self.database, shards, now),
            properties=PropertyValues(raw_events, segments, now),
            rollups=Rollups(self.database, shards, now),
            saved_views=SavedViews(self.database, self.log, site.number),
            segments=segments,
            summary=Summary(counts, segments, now),
            timelines=Timelines(self.database, raw_events, now),
            top_keys=TopKeys(counts, segments, now),
            trends=Trends(counts, segments, now),
            visits=Visits(counts, segments, now),
        )

    def numbers_of(self, site: Site) -> Numbers:
        """Return the reports of a site that alerts read."""
        shards = Shards(self.database, site.number, site.shards)
        reads = self.reads.of(site)
        return Numbers(Counts(self.database, self.raw_events.of(shards), shards), reads.summary, reads.proofs)

    def _framework(self, settings: Settings) -> Litestar:
        return Litestar(
            route_handlers=[
                *read_routes(self.reads),
                *goal_routes(self.reads),
                *annotation_routes(self.reads, now),
                client_route(settings, self.rules),
                *SignInRoutes(
                    settings, self.gate, self.rules, self.sites, Attempts(settings.workers), self.log
                ).routes(),
                *SettingsRoutes(settings, self.sites, self.database, self.log, now).routes(),
                *shared_routes(self.sites, now),
                *state_routes(self.looking, self.appender, self.sites, self.metrics, settings),
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
        self.live.close()
        self.exports.end()
