"""Helps routes with a request: its query, the rest of its path, and work that ends when the client goes away."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from litestar import HttpMethod, Request, Response, route
from litestar.types import HTTPScope, Receive

from service.access.rules import Access
from service.archive import timing
from service.errors import NotFound, Unreadable
from service.http.answers import json_answer, response
from service.http.refusals import ClientGone
from service.questions.parameters import invalid

ACCESS = "access"
NO_PARAMETERS: frozenset[str] = frozenset()

Asked = Request[Any, Any, Any]
Result = TypeVar("Result")


def query_of(request: Asked) -> bytes:
    """Return the query string, still encoded, without the site."""
    return bytes(request.scope["query_string"])


def keep_access(scope: HTTPScope, access: Access | None) -> None:
    """Keep what the gate found out about a request, for `access_of`."""
    scope.setdefault("state", {})[ACCESS] = access


def access_of(request: Asked) -> Access:
    """Return what the gate found out about a request, on a path that is not open."""
    access: Access = request.scope["state"][ACCESS]
    return access


def id_of(request: Asked, before: str) -> str:
    """Return the decoded path after `before`, with all its slashes.

    It reads the raw path, because the framework drops trailing and repeated slashes:
    https://github.com/litestar-org/litestar/pull/325.
    before: such as "/api/analytics/users/". Raises Invalid, and NotFound when a slash of `before` is encoded.
    """
    slashes = before.count("/")
    parts = request.scope["raw_path"].partition(b"?")[0].split(b"/", slashes)
    if len(parts) <= slashes:
        raise NotFound("nothing is served at this path")
    try:
        name = unquote_to_bytes(parts[-1]).decode()
    except UnicodeDecodeError as error:
        raise Unreadable("the path is not URL-encoded UTF-8") from error
    if "\0" in name:
        raise invalid("id", "must not hold a NUL character")
    return name


def methods_of(path: str, allowed: str) -> Any:
    """Return the route that names all methods of a path. It comes before the path's others.

    The framework's own answer would name one of the methods only.
    """

    @route(path, http_method=HttpMethod.OPTIONS, status_code=204)
    async def methods() -> Response[None]:
        return Response(None, headers={"allow": allowed})

    return methods


async def answer_of(request: Asked, work: Coroutine[Any, Any, object]) -> Response[bytes]:
    """Return the result of `work` as JSON, and how long the steps of long questions took.

    The work ends when the client goes away. Read the body before.
    """
    with timing.gathered() as seconds:
        answer = json_answer(await while_connected(request.receive, work))
    return response(answer.and_headers({"server-timing": timing.server_timing(seconds)} if seconds else {}))


async def while_connected(receive: Receive, work: Coroutine[Any, Any, Result]) -> Result:
    """Return the result of `work`. When the client goes away, cancel it, so that its statement ends, too.

    receive: the request's; the body must have been read before. Raises ClientGone.
    """
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_until_gone(receive))
    try:
        await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            return working.result()
        raise ClientGone("the client went away before the answer")
    finally:
        for task in (working, leaving):
            task.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
