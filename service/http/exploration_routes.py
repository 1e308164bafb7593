"""The routes by which people look into what was sent."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_to_bytes

from litestar import Response, get

from service.errors import NotFound, Unreadable
from service.http.routes import Asked, answer_of, query_of
from service.questions.parameters import invalid
from service.reports.cohorts import Cohorts
from service.reports.properties import PropertyValues
from service.reports.timelines import Timelines

# "/api/analytics/sessions/" and what follows.
SLASHES_BEFORE_ID = 4


def exploration_routes(properties: PropertyValues, timelines: Timelines, cohorts: Cohorts) -> list[Any]:
    """Return the routes of properties, of sessions and users, and of cohorts."""

    @get("/api/analytics/properties", name="properties")
    async def properties_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, properties.page(query_of(request)))

    @get("/api/analytics/sessions/{session_id:path}", name="session")
    async def session_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, timelines.session(_id_of(request), query_of(request)))

    @get("/api/analytics/users/{user_id:path}", name="user")
    async def user_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, timelines.user(_id_of(request), query_of(request)))

    @get("/api/analytics/cohorts", name="cohorts")
    async def cohorts_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, cohorts.page(query_of(request)))

    return [properties_page, session_page, user_page, cohorts_page]


def _id_of(request: Asked) -> str:
    """Return the rest of the path as it was sent; what the framework gives has lost slashes.

    Raises Invalid, and NotFound when slashes before it are encoded.
    """
    parts = request.scope["raw_path"].partition(b"?")[0].split(b"/", SLASHES_BEFORE_ID)
    if len(parts) <= SLASHES_BEFORE_ID:
        raise NotFound("nothing is served at this path")
    try:
        name = unquote_to_bytes(parts[-1]).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the path is not URL-encoded UTF-8") from error
    if "\0" in name:
        raise invalid("id", "must not hold a NUL character")
    return name
