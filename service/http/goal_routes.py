"""The routes of goals, their conversions, and annotations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from litestar import Response, delete, get, post, put
from litestar.params import FromPath

from service.http.answers import json_answer, response
from service.http.bodies import json_body
from service.http.requests import Asked, answer_of, methods_of, query_of
from service.http.site_reads import SiteReads
from service.questions.annotations import Annotation
from service.questions.goals import Goal
from service.questions.parameters import parse
from service.questions.ranges import OF_RANGE, closed_range

GOAL = "/api/analytics/goals/{name:str}"
ANNOTATIONS = "/api/analytics/annotations"
ANNOTATION = ANNOTATIONS + "/{annotation:str}"
# A leap year, and then the hours that charts show ahead.
DEFAULT_HOURS = 8_784
AHEAD = timedelta(days=366)


def goal_routes(sites: SiteReads) -> list[Any]:
    """Return the routes of goals and of their conversions."""

    @get("/api/analytics/goals", name="goals")
    async def page(request: Asked) -> Response[bytes]:
        return await answer_of(request, sites.without_parameters(request).goals.page())

    @put(GOAL, name="save goal")
    async def save(request: Asked, name: FromPath[str]) -> Response[bytes]:
        reads = sites.without_parameters(request)
        return response(json_answer(await reads.goals.save(name, await json_body(request, Goal))))

    @delete(GOAL, name="delete goal", status_code=200)
    async def forget(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await sites.without_parameters(request).goals.delete(name)))

    @get(GOAL + "/conversions", name="conversions")
    async def conversions(request: Asked, name: FromPath[str]) -> Response[bytes]:
        return await answer_of(request, sites.asked_by(request).conversions.page(name, query_of(request)))

    return [page, methods_of(GOAL, "DELETE, OPTIONS, PUT"), save, forget, conversions]


def annotation_routes(sites: SiteReads, clock: Callable[[], datetime]) -> list[Any]:
    """Return the routes of annotations."""

    @get(ANNOTATIONS, name="annotations")
    async def page(request: Asked) -> Response[bytes]:
        given = parse(query_of(request), OF_RANGE)
        since, until = closed_range(given, DEFAULT_HOURS, clock())
        is_open = not given.keys() & {"hours", "from", "to", "range"}
        return await answer_of(
            request, sites.asked_by(request).annotations.page(since, until + AHEAD if is_open else until)
        )

    @post(ANNOTATIONS, name="add annotation", status_code=200)
    async def add(request: Asked) -> Response[bytes]:
        reads = sites.without_parameters(request)
        return response(json_answer(await reads.annotations.add(await json_body(request, Annotation))))

    @delete(ANNOTATION, name="delete annotation", status_code=200)
    async def forget(request: Asked, annotation: FromPath[str]) -> Response[bytes]:
        return response(json_answer(await sites.without_parameters(request).annotations.delete(annotation)))

    return [page, add, methods_of(ANNOTATION, "DELETE, OPTIONS"), forget]
