"""The entry of every request: through the gate, then to the track paths or the framework. It counts every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from time import perf_counter
from typing import Any

from litestar import Litestar, Request, Response
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send
from litestar.utils import normalize_path

from service.access.errors import Bot, Unauthorized
from service.access.limits import Limits
from service.access.rules import Access
from service.errors import ServiceError
from service.http.answers import Answer, Headers, answered, failure, json_answer, respond, response
from service.http.base_path import BasePath
from service.http.bodies import throw_away
from service.http.compression import Compression
from service.http.gate import BATCH_PATHS, SHARED, SINGLE_PATHS, Gate
from service.http.heads import agent_of, origin_of
from service.http.metrics import Metrics
from service.http.overload import HEADER
from service.http.refusals import MethodNotAllowed
from service.http.requests import keep_access, while_connected
from service.http.routes import STREAMS
from service.http.site_reads import SiteReads
from service.http.track import Sender, Track

# Answers from this status on may leave a body unread.
REFUSED = 400

Append = Callable[[Receive, Headers, Sender], Awaitable[Answer]]


class Entry:
    """The ASGI application of one worker."""

    def __init__(
        self,
        base: BasePath,
        gate: Gate,
        limits: Limits,
        track: Track,
        sites: SiteReads,
        metrics: Metrics,
        litestar: Litestar,
    ) -> None:
        self.litestar = litestar
        self._base = base
        self._gate = gate
        self._limits = limits
        self._track = track
        self._sites = sites
        self._metrics = metrics
        self._tracks = dict.fromkeys(SINGLE_PATHS, self._single) | dict.fromkeys(BATCH_PATHS, self._batch)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request and count it."""
        if scope["type"] != ScopeType.HTTP:
            await self.litestar(scope, receive, send)
            return
        started = perf_counter()
        method = scope["method"]
        status = await self._answer(scope, receive, send)
        self._metrics.answered(method, scope.get("path_template", "none"), status, perf_counter() - started)
        if status >= REFUSED:
            await throw_away(receive)

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> int:
        """Refuse a request at the gate, or answer it. Return the status."""
        if (page := self._base.page_of(scope)) is not None:
            return await respond(send, Answer(308, b"", {"location": page}))
        self._base.take_off(scope)
        if scope["method"] == "HEAD" and scope["path"] not in STREAMS:
            scope["method"] = "GET"  # the server drops the body of the answer
        headers = dict(scope["headers"])
        path = normalize_path(scope["path"])
        try:
            self._gate.check_host(headers)
            await self._gate.know(scope, path, headers)
            access = self._gate.check(scope, path, headers)
        except ServiceError as error:
            return await respond(send, self._refused(error))
        # Events bypass the framework, because its routing costs more than decoding and checking an event.
        if (track := self._tracks.get(path)) is None:
            keep_access(scope, access)
            return await self._route(self.litestar, scope, headers, receive, send)
        scope["path_template"] = path
        if access is not None and scope["method"] == "GET" and path in SINGLE_PATHS:
            return await self._route(partial(self._list, access), scope, headers, receive, send)
        return await respond(send, await track(scope, headers, receive))

    async def _route(self, app: ASGIApp, scope: HTTPScope, headers: Headers, receive: Receive, send: Send) -> int:
        """Answer a request with an application, compressed. Return the status."""
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if overloads := self._metrics.overloads():
                    told = ", ".join(sorted(overloads)).encode()
                    message["headers"] = [*message["headers"], (HEADER, told)]
            await send(message)

        await app(scope, receive, Compression(watched, headers, is_read=scope["method"] == "GET"))
        return status

    async def _single(self, scope: HTTPScope, headers: Headers, receive: Receive) -> Answer:
        return await self._write(scope, headers, receive, self._track.one, "GET, POST, OPTIONS")

    async def _batch(self, scope: HTTPScope, headers: Headers, receive: Receive) -> Answer:
        return await self._write(scope, headers, receive, self._track.batch, "POST, OPTIONS")

    async def _write(
        self, scope: HTTPScope, headers: Headers, receive: Receive, append: Append, methods: str
    ) -> Answer:
        if scope["method"] == "OPTIONS":
            return Answer(204, b"", self._gate.preflight_headers(headers))

        shared = SHARED | self._gate.cors_headers(headers)
        if scope["method"] != "POST":
            return failure(MethodNotAllowed(scope["method"], methods)).and_headers(shared)
        try:
            sender = self._sender(scope, headers)
        except ServiceError as error:
            return self._refused(error).and_headers(shared)
        answer = await answered(append(receive, headers, sender))
        return answer.and_headers(shared)

    def _sender(self, scope: HTTPScope, headers: Headers) -> Sender:
        """Return who sends events. Raises ServiceError when it may not, or has sent too much."""
        access = self._gate.to_write(scope, headers)
        address = self._gate.address(scope, headers)
        allowance = self._limits.allowance(address, access)
        agent, origin = agent_of(headers), origin_of(headers)
        try:
            self._gate.check_visitor(access, agent, address, origin)
        except Bot:
            allowance.take(1, 0)  # so that a flood of bots costs no more than one of events
            raise
        return Sender(address, access, allowance, agent, origin)

    def _refused(self, error: ServiceError) -> Answer:
        self._metrics.refused(error.reason if isinstance(error, Unauthorized) else error.code)
        return failure(error)

    async def _list(self, access: Access, scope: Scope, receive: Receive, send: Send) -> None:
        async def page() -> Answer:
            reads = self._sites.of(access.site)
            return json_answer(await while_connected(receive, reads.events.page(scope["query_string"])))

        await respond(send, await answered(page()))


def answer_exception(_: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """Return the response to an exception of a route. The framework calls it."""
    return response(failure(error))
