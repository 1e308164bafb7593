"""The routes of questions, segments, health and metrics. Pages have their own routes; entry.py answers track paths."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import partial
from typing import Any

from litestar import HttpMethod, Response, delete, get, post, put, route
from litestar.params import FromPath
from litestar.response import ServerSentEvent
from litestar.types import ASGIApp

from service.exports.export import PARAMETERS as EXPORT_PARAMETERS
from service.exports.export import Exports
from service.http.answers import Answer, json_answer, response
from service.http.bodies import json_body
from service.http.download import Download
from service.http.health import readiness
from service.http.live_stream import Live
from service.http.metrics import CONTENT_TYPE, Metrics
from service.http.requests import NO_PARAMETERS, Asked, answer_of, id_of, query_of
from service.ingest.appender import Appender
from service.questions.parameters import parse
from service.questions.segments import Saving, Segments
from service.reports.cohorts import Cohorts
from service.reports.funnel_body import FunnelBody
from service.reports.funnels import Funnels
from service.reports.proofs import Proofs
from service.reports.properties import PropertyValues
from service.reports.rollups import Rollups
from service.reports.summary import Summary
from service.reports.timelines import Timelines
from service.reports.trends import Trends
from service.settings import Settings
from sql.database import Database

LIVE_PATH = "/api/analytics/live"
EXPORT_PATH = "/api/analytics/export"
SESSION_PATH = "/api/analytics/sessions/"
USER_PATH = "/api/analytics/users/"
# Streams do not answer HEAD.
STREAMS = (LIVE_PATH, EXPORT_PATH)


@dataclass(frozen=True, slots=True)
class Reads:
    """The parts that answer reads."""

    cohorts: Cohorts
    exports: Exports
    funnels: Funnels
    live: Live
    proofs: Proofs
    properties: PropertyValues
    rollups: Rollups
    segments: Segments
    summary: Summary
    timelines: Timelines
    trends: Trends


def read_routes(reads: Reads) -> list[Any]:
    """Return the routes that read the log and its projection, and the routes of segments."""
    return [
        _question("/api/analytics/cohorts", reads.cohorts.page),
        _question("/api/analytics/proofs", reads.proofs.page),
        _question("/api/analytics/properties", reads.properties.page),
        _question("/api/analytics/rollups", reads.rollups.page),
        _question("/api/analytics/summary", reads.summary.page),
        _question("/api/analytics/top", reads.summary.top),
        _question("/api/analytics/trends", reads.trends.page),
        _rollup(reads.rollups),
        _funnel(reads.funnels),
        *_timelines(reads.timelines),
        *_segments(reads.segments),
        *_streams(reads.live, reads.exports),
    ]


def _question(path: str, page: Callable[[bytes], Coroutine[Any, Any, object]]) -> Any:
    """Return the route of a question in a query string."""

    @get(path, name=path)
    async def question(request: Asked) -> Response[bytes]:
        return await answer_of(request, page(query_of(request)))

    return question


def _rollup(rollups: Rollups) -> Any:
    @get("/api/analytics/rollups/{hour:str}")
    async def rollup(hour: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await rollups.one(hour)))

    return rollup


def _funnel(funnels: Funnels) -> Any:
    @post("/api/analytics/funnels", name="funnels", status_code=200)
    async def funnel(request: Asked) -> Response[bytes]:
        parse(query_of(request), NO_PARAMETERS)
        return await answer_of(request, funnels.answer(await json_body(request, FunnelBody)))

    return funnel


def _timelines(timelines: Timelines) -> list[Any]:
    @get(SESSION_PATH + "{session_id:path}", name="session")
    async def session(request: Asked) -> Response[bytes]:
        return await answer_of(request, timelines.session(id_of(request, SESSION_PATH), query_of(request)))

    @get(USER_PATH + "{user_id:path}", name="user")
    async def user(request: Asked) -> Response[bytes]:
        return await answer_of(request, timelines.user(id_of(request, USER_PATH), query_of(request)))

    return [
        session,
        user,
        _question(SESSION_PATH.rstrip("/"), partial(timelines.session, None)),
        _question(USER_PATH.rstrip("/"), partial(timelines.user, None)),
    ]


def _segments(segments: Segments) -> list[Any]:
    @get("/api/analytics/segments", name="segments")
    async def page(request: Asked) -> Response[bytes]:
        parse(query_of(request), NO_PARAMETERS)
        return await answer_of(request, segments.page())

    @put("/api/analytics/segments/{name:str}", name="save segment")
    async def save(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await segments.save(name, await json_body(request, Saving))))

    @delete("/api/analytics/segments/{name:str}", name="delete segment", status_code=200)
    async def forget(name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await segments.delete(name)))

    # The first of the path's routes, because the framework's own answer would name one of the methods only.
    @route("/api/analytics/segments/{name:str}", http_method=HttpMethod.OPTIONS, status_code=204)
    async def methods() -> Response[None]:
        return Response(None, headers={"allow": "DELETE, OPTIONS, PUT"})

    return [page, methods, save, forget]


def _streams(live: Live, exports: Exports) -> list[Any]:
    @get(LIVE_PATH, name="live", middleware=[live.middleware])
    async def live_stream(request: Asked) -> ServerSentEvent:
        parse(query_of(request), NO_PARAMETERS)
        return live.answer()

    @get(EXPORT_PATH, name="export")
    async def export(request: Asked) -> ASGIApp:
        return Download(exports, parse(query_of(request), EXPORT_PARAMETERS))

    return [live_stream, export]


def client_route(settings: Settings) -> Any:
    """Return the route that tells a reader what a page needs in order to send events.

    Where everyone may read, it does not tell the write key.
    """
    told = {
        "ok": True,
        "needs_write_key": settings.write_key is not None,
        "write_key": settings.write_key if settings.read_token is not None else None,
        "origins": settings.cors_origins,
    }

    @get("/api/analytics/client", name="client")
    async def client(request: Asked) -> Response[bytes]:
        parse(query_of(request), NO_PARAMETERS)
        return response(json_answer(told))

    return client


def state_routes(looking: Database, appender: Appender, metrics: Metrics, settings: Settings) -> list[Any]:
    """Return the routes of health and metrics."""

    @get("/health/live")
    async def live() -> Response[bytes]:
        return response(json_answer({"ok": True, "status": "live"}))

    @get("/health/ready")
    async def ready() -> Response[bytes]:
        return response(await readiness(looking, appender, settings))

    @get("/metrics")
    async def metrics_text() -> Response[bytes]:
        text = await metrics.text(looking, appender.admission)
        return response(Answer(200, text, {"content-type": CONTENT_TYPE}))

    return [live, ready, metrics_text]
