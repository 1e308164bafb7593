"""The routes of saved views."""

from __future__ import annotations

from typing import Any

from litestar import HttpMethod, Response, delete, get, put, route
from litestar.params import FromPath

from service.http.answers import json_answer, response
from service.http.bodies import json_body
from service.http.requests import NO_PARAMETERS, Asked, access_of, answer_of, query_of
from service.http.site_reads import SiteReads
from service.questions.parameters import parse
from service.questions.saved_views import SavedView, SavedViews

PATH = "/api/analytics/views"


def saved_view_routes(sites: SiteReads) -> list[Any]:
    """Return the routes that list, save and delete the views of a site."""

    def views_of(request: Asked) -> SavedViews:
        parse(query_of(request), NO_PARAMETERS)
        return sites.of(access_of(request).site).saved_views

    @get(PATH, name="views")
    async def page(request: Asked) -> Response[bytes]:
        return await answer_of(request, views_of(request).page())

    @put(PATH + "/{name:str}", name="save view")
    async def save(request: Asked, name: FromPath[str]) -> Response[bytes]:
        views = views_of(request)
        return response(json_answer(await views.save(name, await json_body(request, SavedView))))

    @delete(PATH + "/{name:str}", name="delete view", status_code=200)
    async def forget(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await views_of(request).delete(name)))

    # The first of the path's routes, because the framework's own answer would name one of the methods only.
    @route(PATH + "/{name:str}", http_method=HttpMethod.OPTIONS, status_code=204)
    async def methods() -> Response[None]:
        return Response(None, headers={"allow": "DELETE, OPTIONS, PUT"})

    return [page, methods, save, forget]
