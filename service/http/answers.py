"""Answers, and the translation of each kind of error into one."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import NamedTuple

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import Send

from service.access.errors import Unauthorized
from service.errors import (
    DiskFull,
    Forbidden,
    Impossible,
    Invalid,
    NotFound,
    NotInstalled,
    NotReady,
    RateLimited,
    ServiceError,
    TooLarge,
    Unavailable,
    describe,
)
from service.http.refusals import (
    ClientGone,
    ForeignOrigin,
    MethodNotAllowed,
    UnknownHost,
    UnsupportedEncoding,
    UnsupportedType,
)
from sql.errors import DatabaseError
from sql.errors import DiskFull as FullDatabase

log = structlog.get_logger(__name__)

# Long enough for a restart of PostgreSQL, short enough for a browser that is about to leave.
RETRY_AFTER_SECONDS = 2
# The headers of a request, by lower-case name.
Headers = dict[bytes, bytes]
NOTHING: Mapping[str, str] = {}
# For answers with data: nothing caches them, no browser guesses their type, and no page of another origin gets them.
PRIVATE: Mapping[str, str] = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
# Our code and message for the router's refusals.
ROUTING = {
    404: ("not_found", "nothing is served at this path"),
    405: ("method_not_allowed", "this path does not answer this method"),
}


class Status(NamedTuple):
    """The HTTP status and headers of one kind of error."""

    number: int
    headers: Mapping[str, str] = NOTHING


# An error without an entry has the status of its nearest base class that has one.
STATUSES: Mapping[type[Exception], Status] = {
    Invalid: Status(400),
    Unauthorized: Status(401, {"www-authenticate": "Bearer"}),
    ForeignOrigin: Status(403),
    Forbidden: Status(403),
    NotFound: Status(404),
    MethodNotAllowed: Status(405),
    TooLarge: Status(413),
    UnsupportedEncoding: Status(415),
    UnsupportedType: Status(415),
    UnknownHost: Status(421),
    Impossible: Status(422),
    RateLimited: Status(429),
    ClientGone: Status(499),  # as in nginx; only the metrics see it
    NotInstalled: Status(501),
    Unavailable: Status(503, {"retry-after": str(RETRY_AFTER_SECONDS)}),
}
INTERNAL = Status(500)


class Answer(NamedTuple):
    """A status, a body (JSON unless `headers` say otherwise), and headers that not every answer has."""

    status: int
    body: bytes
    headers: Mapping[str, str] = NOTHING

    def all_headers(self) -> dict[str, str]:
        """Return all headers except content-length."""
        content = {"content-type": "application/json"} if self.body else NOTHING
        return {**content, **PRIVATE, **self.headers}

    def and_headers(self, more: Mapping[str, str]) -> Answer:
        """Return the same answer with more headers."""
        return self._replace(headers={**self.headers, **more}) if more else self


def json_answer(answer: object, kind: type[ServiceError] | None = None) -> Answer:
    """Return an answer as JSON, with status 200 or with the status of a kind of error."""
    status, headers = (200, NOTHING) if kind is None else STATUSES[kind]
    return Answer(status, msgspec.json.encode(answer), headers)


def failure(error: Exception) -> Answer:
    """Return the answer to a request that failed with an exception."""
    if isinstance(error, HTTPException) and error.status_code < 500:
        return _routing_failure(error)
    if isinstance(error, DatabaseError):
        log.warning("the database cannot answer", error=str(error))
        error = _unavailable(error)
    if not isinstance(error, ServiceError):
        log.error("a request failed", exc_info=error)
        error = ServiceError("the service failed; its log says why")
    number, headers = status_of(error)
    if isinstance(error, MethodNotAllowed):
        headers = {"allow": error.allowed}
    if isinstance(error, RateLimited):
        headers = {"retry-after": str(error.seconds)}
    return Answer(number, _error_body(error.code, error.message, error.field), headers)


def _unavailable(error: DatabaseError) -> ServiceError:
    if isinstance(error, FullDatabase):
        return DiskFull("the disk of the database is full: whoever runs the service must free space")
    return NotReady("the database cannot answer now")


def status_of(error: ServiceError) -> Status:
    """Return the status of an error of the service, 500 when STATUSES has none for it."""
    return next((STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES), INTERNAL)


def _routing_failure(error: HTTPException) -> Answer:
    code, message = ROUTING.get(error.status_code, ("malformed", error.detail))
    return Answer(error.status_code, _error_body(code, message, None), error.headers or NOTHING)


def _error_body(code: str, message: str, field: str | None) -> bytes:
    return msgspec.json.encode({"ok": False, "error": describe(code, message, field)})


def response(answer: Answer) -> Response[bytes]:
    """Return an answer as a response of the framework."""
    return Response(answer.body, status_code=answer.status, headers=answer.all_headers())


async def answered(work: Awaitable[Answer]) -> Answer:
    """Return what `work` answers, or the answer to its exception."""
    try:
        return await work
    except Exception as error:  # noqa: BLE001
        return failure(error)


async def respond(send: Send, answer: Answer) -> int:
    """Send an answer; return its status."""
    headers = [(name.encode(), value.encode()) for name, value in answer.all_headers().items()]
    headers.append((b"content-length", b"%d" % len(answer.body)))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body, "more_body": False})
    return answer.status
