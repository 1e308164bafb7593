"""The routes that a dashboard reads."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from litestar import Request, Response, delete, get, put
from litestar.params import FromPath
from litestar.response import ServerSentEvent

from service.http.answers import json_answer, response
from service.http.bodies import json_body
from service.http.live_stream import Live
from service.http.requests import while_connected
from service.questions.parameters import parse
from service.questions.segments import Saving, Segments
from service.reports.proofs import Proofs
from service.reports.summary import Summary
from service.reports.trends import Trends

LIVE_PATH = "/api/analytics/live"
NO_PARAMETERS: frozenset[str] = frozenset()

Asked = Request[Any, Any, Any]


def query_of(request: Asked) -> bytes:
    """Return the query string as it was sent."""
    return bytes(request.scope["query_string"])


async def answer_of(request: Asked, work: Coroutine[Any, Any, object]) -> Response[bytes]:
    """Return what `work` finds as JSON; it ends with the client's connection. The body must have been read."""
    return response(json_answer(await while_connected(request.receive, work)))


def analytics_routes(trends: Trends, summary: Summary, proofs: Proofs, live: Live) -> list[Any]:
    """Return the routes of counts and proofs."""

    @get("/api/analytics/trends", name="trends")
    async def trends_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, trends.page(query_of(request)))

    @get("/api/analytics/summary", name="summary")
    async def summary_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, summary.page(query_of(request)))

    @get("/api/analytics/top", name="top")
    async def top_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, summary.top(query_of(request)))

    @get("/api/analytics/proofs", name="proofs")
    async def proofs_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, proofs.page(query_of(request)))

    @get(LIVE_PATH, name="live", middleware=[live.middleware])
    async def live_stream(request: Asked) -> ServerSentEvent:
        parse(query_of(request), NO_PARAMETERS)
        return live.answer()

    return [trends_page, summary_page, top_page, proofs_page, live_stream]


def segment_routes(segments: Segments) -> list[Any]:
    """Return the routes of saved segments."""

    @get("/api/analytics/segments", name="segments")
    async def segments_page(request: Asked) -> Response[bytes]:
        parse(query_of(request), NO_PARAMETERS)
        return await answer_of(request, segments.page())

    @put("/api/analytics/segments/{name:str}", name="save segment")
    async def save_segment(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await segments.save(name, await json_body(request, Saving))))

    @delete("/api/analytics/segments/{name:str}", name="delete segment", status_code=200)
    async def delete_segment(name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await segments.delete(name)))

    return [segments_page, save_segment, delete_segment]
