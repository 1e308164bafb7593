"""The routes of questions, segments, health and metrics. Pages have their own routes; entry.py answers track paths."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from litestar import Request, Response, delete, get, post, put
from litestar.params import FromPath
from litestar.response import ServerSentEvent
from litestar.types import ASGIApp, Receive, Scope, Send

from service.access.keys import Kind, Right
from service.access.rules import Rules
from service.access.sites import Sites
from service.errors import NotReady
from service.exports.export import PARAMETERS as EXPORT_PARAMETERS
from service.http.answers import Answer, failure, json_answer, response
from service.http.bodies import json_body
from service.http.download import Download
from service.http.health import readiness
from service.http.metrics import CONTENT_TYPE, Metrics
from service.http.requests import NO_PARAMETERS, Asked, access_of, answer_of, id_of, methods_of, query_of
from service.http.saved_view_routes import saved_view_routes
from service.http.site_reads import Reads, SiteReads
from service.ingest.appender import Appender
from service.questions.parameters import parse
from service.questions.segments import Saving
from service.reports.funnel_body import FunnelBody
from service.settings import READ_TOKEN, Settings
from sql.database import Database

LIVE_PATH = "/api/analytics/live"
EXPORT_PATH = "/api/analytics/export"
SESSION_PATH = "/api/analytics/sessions/"
USER_PATH = "/api/analytics/users/"
OK = 200
# Streams do not answer HEAD.
STREAMS = (LIVE_PATH, EXPORT_PATH)

# What answers a question in a query string.
Page = Callable[[bytes], Coroutine[Any, Any, object]]


def read_routes(sites: SiteReads) -> list[Any]:
    """Return the routes that read the log and its projection, and the routes of segments and saved views."""
    return [
        _question(sites, "/api/analytics/cohorts", lambda reads: reads.cohorts.page),
        _question(sites, "/api/analytics/proofs", lambda reads: reads.proofs.page),
        _question(sites, "/api/analytics/properties", lambda reads: reads.properties.page),
        _question(sites, "/api/analytics/rollups", lambda reads: reads.rollups.page),
        _question(sites, "/api/analytics/summary", lambda reads: reads.summary.page),
        _question(sites, "/api/analytics/top", lambda reads: reads.top_keys.page),
        _question(sites, "/api/analytics/trends", lambda reads: reads.trends.page),
        _question(sites, "/api/analytics/visits", lambda reads: reads.visits.page),
        _question(sites, "/api/analytics/paths", lambda reads: reads.paths.page),
        _question(sites, "/api/analytics/now", lambda reads: reads.visits.now),
        _rollup(sites),
        _funnel(sites),
        *_timelines(sites),
        *_segments(sites),
        *saved_view_routes(sites),
        _seals(sites),
        *_streams(sites),
    ]


def _question(sites: SiteReads, path: str, page: Callable[[Reads], Page]) -> Any:
    """Return the route of a question in a query string."""

    @get(path, name=path)
    async def question(request: Asked) -> Response[bytes]:
        return await answer_of(request, page(sites.asked_by(request))(query_of(request)))

    return question


def _rollup(sites: SiteReads) -> Any:
    @get("/api/analytics/rollups/{hour:str}")
    async def rollup(request: Asked, hour: FromPath[str]) -> Response[bytes]:
        reads = sites.without_parameters(request)
        return response(json_answer(await reads.rollups.one(hour)))

    return rollup


def _funnel(sites: SiteReads) -> Any:
    @post("/api/analytics/funnels", name="funnels", status_code=200)
    async def funnel(request: Asked) -> Response[bytes]:
        reads = sites.without_parameters(request)
        body = await json_body(request, FunnelBody)
        # Ids only for whoever has a key or the token, because an open service may be read by everyone.
        return await answer_of(request, reads.funnels.answer(body, names_ids=access_of(request).key is not None))

    return funnel


def _timelines(sites: SiteReads) -> list[Any]:
    @get(SESSION_PATH + "{session_id:path}", name="session")
    async def session(request: Asked) -> Response[bytes]:
        reads = sites.asked_by(request)
        return await answer_of(request, reads.timelines.session(id_of(request, SESSION_PATH), query_of(request)))

    @get(USER_PATH + "{user_id:path}", name="user")
    async def user(request: Asked) -> Response[bytes]:
        reads = sites.asked_by(request)
        return await answer_of(request, reads.timelines.user(id_of(request, USER_PATH), query_of(request)))

    return [
        session,
        user,
        _question(sites, SESSION_PATH.rstrip("/"), lambda reads: partial(reads.timelines.session, None)),
        _question(sites, USER_PATH.rstrip("/"), lambda reads: partial(reads.timelines.user, None)),
    ]


def _segments(sites: SiteReads) -> list[Any]:
    @get("/api/analytics/segments", name="segments")
    async def page(request: Asked) -> Response[bytes]:
        return await answer_of(request, sites.without_parameters(request).segments.page())

    @put("/api/analytics/segments/{name:str}", name="save segment")
    async def save(request: Asked, name: FromPath[str]) -> Response[bytes]:
        reads = sites.without_parameters(request)
        return response(json_answer(await reads.segments.save(name, await json_body(request, Saving))))

    @delete("/api/analytics/segments/{name:str}", name="delete segment", status_code=200)
    async def forget(request: Asked, name: FromPath[str]) -> Response[bytes]:
        reads = sites.without_parameters(request)
        return response(json_answer(await reads.segments.delete(name)))

    methods = methods_of("/api/analytics/segments/{name:str}", "DELETE, OPTIONS, PUT")
    return [page, methods, save, forget]


def _seals(sites: SiteReads) -> Any:
    @get("/api/analytics/seals", name="seals")
    async def seals(request: Asked) -> Response[bytes]:
        return await answer_of(request, sites.without_parameters(request).proofs.seals())

    return seals


def _streams(sites: SiteReads) -> list[Any]:
    def counted(app: ASGIApp) -> ASGIApp:
        async def of_site(scope: Scope, receive: Receive, send: Send) -> None:
            reads = sites.asked_by(Request(scope))
            await reads.live.middleware(app)(scope, receive, send)

        return of_site

    @get(LIVE_PATH, name="live", middleware=[counted])
    async def live_stream(request: Asked) -> ServerSentEvent:
        return sites.without_parameters(request).live.answer()

    @get(EXPORT_PATH, name="export")
    async def export(request: Asked) -> ASGIApp:
        return Download(sites.asked_by(request).exports, parse(query_of(request), EXPORT_PARAMETERS))

    return [live_stream, export]


def client_route(settings: Settings, rules: Rules) -> Any:
    """Return the route that tells a reader what a page of a site needs in order to send events.

    It tells the write key of the environment, and only to whoever has an admin key or the environment's read token: no
    other reader may write. The service does not know the text of other keys.
    """

    @get("/api/analytics/client", name="client")
    async def client(request: Asked) -> Response[bytes]:
        parse(query_of(request), NO_PARAMETERS)
        access = access_of(request)
        is_told = access.site.is_default and (access.kind is Kind.ADMIN or access.key == READ_TOKEN)
        told = {
            "ok": True,
            # Only a key leads the events of a page to another site than the default one.
            "needs_write_key": rules.needs_key(Right.EVENTS, access.site) or not access.site.is_default,
            "write_key": settings.write_key if is_told else None,
            "origins": access.site.origins or settings.cors_origins,
        }
        return response(json_answer(told))

    return client


def state_routes(
    looking: Database, appender: Appender, sites: Sites, metrics: Metrics, settings: Settings
) -> list[Any]:
    """Return the routes of health and metrics."""

    @get("/health/live")
    async def live() -> Response[bytes]:
        return response(json_answer({"ok": True, "status": "live"}))

    @get("/health/ready")
    async def ready() -> Response[bytes]:
        answer = await readiness(looking, appender, settings)
        if answer.status == OK and not sites.known:  # the database has just come
            return response(failure(NotReady("the sites and keys are not known yet")))
        return response(answer)

    @get("/metrics")
    async def metrics_text() -> Response[bytes]:
        text = await metrics.text(looking, appender.admission)
        return response(Answer(200, text, {"content-type": CONTENT_TYPE}))

    return [live, ready, metrics_text]
