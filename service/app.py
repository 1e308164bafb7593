"""Joins the parts of the HTTP service; the only place that does."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from litestar import Litestar, Request, Response, get
from litestar.enums import ScopeType
from litestar.params import FromPath
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from service.console import configure_logs
from service.errors import ServiceError
from service.exports.export import Exports
from service.http import held_signals
from service.http.answers import Answer, Headers, answered, failure, json_answer, respond, response
from service.http.download import EXPORT_PATH, export_routes
from service.http.exploration_routes import exploration_routes
from service.http.gate import BATCH_PATHS, SINGLE_PATHS, Gate
from service.http.health import readiness
from service.http.live_stream import Live
from service.http.metrics import CONTENT_TYPE, Metrics
from service.http.refusals import MethodNotAllowed
from service.http.requests import while_connected
from service.http.routes import LIVE_PATH, analytics_routes, answer_of, query_of, segment_routes
from service.http.track import Track
from service.ingest.appender import Appender
from service.openapi import swagger_page
from service.questions.segments import Segments
from service.reports.cohorts import Cohorts
from service.reports.counts import Counting
from service.reports.event_list import EventList
from service.reports.funnels import Funnels, funnel_routes
from service.reports.proofs import Proofs
from service.reports.properties import PropertyValues
from service.reports.raw_events import RawEvents
from service.reports.rollups import Rollups
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.trends import Trends
from service.settings import Settings, load
from service.web import client_script, dashboard_files, vendored
from sql.database import Database

HOUSEKEEPING_SECONDS = 1.0
STOP_LOOK_SECONDS = 0.05
# Longer than the database takes to answer when it is there at all.
START_SECONDS = 2.0
# More than the requests that wait for a commit hold: they are no garbage, and would be looked through each time.
OBJECTS_PER_COLLECTION = 20_000

# Of what is endless, or long, there is no head.
STREAMS = (LIVE_PATH, EXPORT_PATH)

Append = Callable[[Receive, Headers], Awaitable[Answer]]


def now() -> datetime:
    """Return the time; the clock of reports."""
    return datetime.now(UTC)


def create(settings: Settings | None = None) -> Service:
    """Return the ASGI application; granian's workers call it."""
    settings = settings or load()
    configure_logs(settings.log_level, as_json=settings.log_json)
    return Service(settings)


class Service:
    """The whole HTTP service: gate, track, reports, health. An ASGI application."""

    def __init__(self, settings: Settings) -> None:
        # Reads never take the connections that events are stored with.
        self.database = Database(settings.database_url or "", connections=8, read_only=True)
        # Nor do they keep the service from telling how it is: one that seems not to be ready is given no events.
        self.looking = Database(settings.database_url or "", connections=2, read_only=True)
        self.log = Database(settings.database_url or "", connections=8, statement_seconds=5, lock_seconds=4)
        self.appender = Appender(self.log, settings.event_retention_days)
        self.gate = Gate(settings)
        self.metrics = Metrics()
        self.track = Track(self.appender, self.metrics.offered)
        self.rollups = Rollups(self.database, now)
        self.raw_events = RawEvents(settings.database_url or "")
        self.segments = Segments(self.database, self.log)
        self.event_list = EventList(self.database, self.raw_events, self.segments, now)
        counting = Counting(self.database, self.raw_events)
        self.trends = Trends(counting, self.segments, now)
        self.summary = Summary(counting, self.segments, now)
        names_ids = settings.read_token is not None
        self.funnels = Funnels(self.raw_events, self.segments, now, names_ids=names_ids)
        self.proofs = Proofs(self.database, now)
        self.property_values = PropertyValues(self.raw_events, self.segments, now)
        self.timelines = Timelines(self.database, now)
        self.cohorts = Cohorts(self.database, self.raw_events, self.segments, now)
        self.live = Live(self.database)
        self.exports = Exports(settings.database_url or "", self.segments, now)
        self._tracks = dict.fromkeys(SINGLE_PATHS, self._single) | dict.fromkeys(BATCH_PATHS, self._batch)
        self.litestar: ASGIApp = Litestar(
            route_handlers=[
                *self._read_routes(),
                *self._analytics_routes(),
                *dashboard_files.routes(),
                *vendored.routes(),
                *client_script.routes(),
            ],
            exception_handlers={Exception: _answer_exception},
            lifespan=[self._lifespan],
            openapi_config=swagger_page.config(),
            include_in_schema=False,
            logging_config=None,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it."""
        if scope["type"] != ScopeType.HTTP:
            await self.litestar(scope, receive, send)
            return
        started = perf_counter()
        method = scope["method"]
        status = await self._answer(scope, receive, send)
        self.metrics.answered(method, scope.get("path_template", "none"), status, perf_counter() - started)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> int:
        """Refuse at the gate, in the same form as what is refused after routing, or route; return the status."""
        if scope["method"] == "HEAD" and scope["path"] not in STREAMS:
            scope["method"] = "GET"  # the server leaves the body out
        headers = dict(scope["headers"])
        try:
            self.gate.check(scope, headers)
        except ServiceError as error:
            return await respond(send, failure(error))
        path = normalize_path(scope["path"])
        # Events do not go through the framework, whose way to a handler costs more than to decode and check one.
        if (track := self._tracks.get(path)) is not None:
            scope["path_template"] = path
            return await respond(send, await track(scope, headers, receive))
        return await self._route(scope, receive, send)

    async def _route(self, scope: HTTPScope, receive: Receive, send: Send) -> int:
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.litestar(scope, receive, watched)
        return status

    async def _single(self, scope: HTTPScope, headers: Headers, receive: Receive) -> Answer:
        if scope["method"] == "GET":
            return await answered(self._list(scope["query_string"], receive))
        return await self._write(scope, headers, receive, self.track.one, "GET, POST, OPTIONS")

    async def _batch(self, scope: HTTPScope, headers: Headers, receive: Receive) -> Answer:
        return await self._write(scope, headers, receive, self.track.batch, "POST, OPTIONS")

    async def _write(
        self, scope: HTTPScope, headers: Headers, receive: Receive, append: Append, methods: str
    ) -> Answer:
        if scope["method"] == "OPTIONS":
            return Answer(204, b"", self.gate.preflight_headers(headers))

        async def appended() -> Answer:
            if scope["method"] != "POST":
                raise MethodNotAllowed(scope["method"], methods)
            self.gate.check_write(scope, headers)
            return await append(receive, headers)

        answer = await answered(appended())
        return answer.and_headers(self.gate.cors_headers(headers))

    async def _list(self, query: bytes, receive: Receive) -> Answer:
        return json_answer(await while_connected(receive, self.event_list.page(query)))

    def _read_routes(self) -> list[Any]:
        @get("/api/analytics/rollups")
        async def rollups(request: Request[Any, Any, Any]) -> Response[bytes]:
            return await answer_of(request, self.rollups.page(query_of(request)))

        @get("/api/analytics/rollups/{hour:str}")
        async def rollup(hour: FromPath[str]) -> Response[bytes]:
            return response(json_answer(await self.rollups.one(hour)))

        @get("/health/live")
        async def live() -> Response[bytes]:
            return response(json_answer({"ok": True, "status": "live"}))

        @get("/health/ready")
        async def ready() -> Response[bytes]:
            return response(await readiness(self.looking, self.appender))

        @get("/metrics")
        async def metrics() -> Response[bytes]:
            text = await self.metrics.text(self.looking, self.appender.admission)
            return response(Answer(200, text, {"content-type": CONTENT_TYPE}))

        return [rollups, rollup, live, ready, metrics]

    def _analytics_routes(self) -> list[Any]:
        return [
            *analytics_routes(self.trends, self.summary, self.proofs, self.live),
            *segment_routes(self.segments),
            *funnel_routes(self.funnels),
            *export_routes(self.exports),
            *exploration_routes(self.property_values, self.timelines, self.cohorts),
        ]

    @asynccontextmanager
    async def _lifespan(self, _: Litestar) -> AsyncIterator[None]:
        _keep_what_is_loaded()
        await self.appender.start()
        # A worker that begins must not refuse what the others take.
        await self.appender.wait_until_available(START_SECONDS)
        tasks = [asyncio.create_task(self._housekeeping()), asyncio.create_task(self._end_streams_at_stop())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            self._end_streams()
            await self.appender.close()
            await self.log.close()
            await self.raw_events.close()
            await self.exports.close()
            await self.looking.close()
            await self.database.close()

    async def _housekeeping(self) -> None:
        """Tell how much waits; stop when the server was killed: an orphan would keep the port and answer for ever."""
        # A worker may be begun at the moment in which its server is killed, and never have had it for a parent.
        parent = held_signals.Server.pid or os.getppid()
        while os.getppid() == parent:
            self.metrics.waiting(self.appender.admission.events)
            await asyncio.sleep(HOUSEKEEPING_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    async def _end_streams_at_stop(self) -> None:
        """End the streams before the server knows that it is to stop: it waits for all that is being answered."""
        await asyncio.sleep(held_signals.HELD_SECONDS)
        while not held_signals.came():  # noqa: ASYNC110  # a signal that is held back tells nobody
            await asyncio.sleep(STOP_LOOK_SECONDS)
        self._end_streams()
        held_signals.let_through()

    def _end_streams(self) -> None:
        self.live.close()
        self.exports.end()


def _keep_what_is_loaded() -> None:
    """Have the collector leave alone what was loaded so far; under load it looks through all of it again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_PER_COLLECTION, 10, 10)


def _answer_exception(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    return response(failure(error))
