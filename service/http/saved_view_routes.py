"""The routes of saved views."""

from __future__ import annotations

from typing import Any

from litestar import Response, delete, get, put
from litestar.params import FromPath

from service.http.answers import json_answer, response
from service.http.bodies import json_body
from service.http.requests import Asked, answer_of, methods_of
from service.http.site_reads import SiteReads
from service.questions.saved_views import SavedView

PATH = "/api/analytics/views"


def saved_view_routes(sites: SiteReads) -> list[Any]:
    """Return the routes that list, save and delete the views of a site."""

    @get(PATH, name="views")
    async def page(request: Asked) -> Response[bytes]:
        return await answer_of(request, sites.without_parameters(request).saved_views.page())

    @put(PATH + "/{name:str}", name="save view")
    async def save(request: Asked, name: FromPath[str]) -> Response[bytes]:
        views = sites.without_parameters(request).saved_views
        return response(json_answer(await views.save(name, await json_body(request, SavedView))))

    @delete(PATH + "/{name:str}", name="delete view", status_code=200)
    async def forget(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await sites.without_parameters(request).saved_views.delete(name)))

    return [page, methods_of(PATH + "/{name:str}", "DELETE, OPTIONS, PUT"), save, forget]
