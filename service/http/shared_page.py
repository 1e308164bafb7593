"""The page of a share link, and what it shows. The page is the dashboard's, with another script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from litestar import Response, get

from service.access.sites import Sites
from service.errors import NotFound
from service.http.answers import json_answer, response
from service.http.gate import SHARED_PATH
from service.http.requests import NO_PARAMETERS, Asked, access_of, query_of
from service.http.shared_view import VIEW_PATH
from service.questions.hours import time_text
from service.questions.parameters import parse
from service.web.dashboard_files import shared_page


def shared_routes(sites: Sites, clock: Callable[[], datetime]) -> list[Any]:
    """Return the routes of share links."""

    @get(SHARED_PATH, name="shared page")
    async def page(request: Asked) -> Response[bytes]:
        # Other parameters are let through, because mail programs add their own to links.
        prefix = dict(parse_qsl(query_of(request).decode("latin-1"))).get("link", "")
        content, headers = shared_page(sites.links.origins_of(prefix, clock()))
        return Response(content, headers=headers)

    @get(VIEW_PATH, name="shared view")
    async def view(request: Asked) -> Response[bytes]:
        parse(query_of(request), NO_PARAMETERS)
        access = access_of(request)
        if (link := access.link) is None:
            raise NotFound("no share link came with this request")
        shown = link.view
        return response(
            json_answer(
                {
                    "ok": True,
                    "site": access.site.name,
                    "label": link.label,
                    "hours": shown.hours,
                    "from": None if shown.since is None else time_text(shown.since),
                    "to": None if shown.until is None else time_text(shown.until),
                    "filters": shown.filters,
                    "expires_at": time_text(link.expires_at),
                }
            )
        )

    return [page, view]
