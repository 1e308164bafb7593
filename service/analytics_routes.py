"""The routes that a dashboard reads."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.response import ServerSentEvent

from service.answers import json_answer, response
from service.live import Live
from service.proofs import Proofs
from service.queries import parse
from service.summary import Summary
from service.trends import Trends

LIVE_PATH = "/api/analytics/live"
NO_PARAMETERS: frozenset[str] = frozenset()


def analytics_routes(trends: Trends, summary: Summary, proofs: Proofs, live: Live) -> list[Any]:
    """Return the routes."""

    @get("/api/analytics/trends", name="trends")
    async def trends_page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return response(json_answer(await trends.page(request.scope["query_string"])))

    @get("/api/analytics/summary", name="summary")
    async def summary_page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return response(json_answer(await summary.page(request.scope["query_string"])))

    @get("/api/analytics/top", name="top")
    async def top_page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return response(json_answer(await summary.top(request.scope["query_string"])))

    @get("/api/analytics/proofs", name="proofs")
    async def proofs_page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return response(json_answer(await proofs.page(request.scope["query_string"])))

    @get(LIVE_PATH, name="live", middleware=[live.middleware])
    async def live_stream(request: Request[Any, Any, Any]) -> ServerSentEvent:
        parse(request.scope["query_string"], NO_PARAMETERS)
        return live.answer()

    return [trends_page, summary_page, top_page, proofs_page, live_stream]
