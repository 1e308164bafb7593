"""Answers, and what an exception becomes on the way out."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import NamedTuple

import msgspec
import structlog
from litestar import Response
from litestar.exceptions import HTTPException
from litestar.types import Send

from service.errors import ApiError, unavailable
from sql.errors import DatabaseError

log = structlog.get_logger(__name__)

NOTHING: Mapping[str, str] = {}
# How the router refuses, in our words.
ROUTING = {
    404: ("not_found", "nothing is served at this path"),
    405: ("method_not_allowed", "this method is not answered here"),
}


class Answer(NamedTuple):
    """Status, JSON, and headers beside those that every answer has."""

    status: int
    body: bytes
    headers: Mapping[str, str] = NOTHING

    def all_headers(self) -> dict[str, str]:
        """Return all headers but the content's length."""
        content = {"content-type": "application/json"} if self.body else NOTHING
        return {**content, "cache-control": "no-store", **self.headers}

    def and_headers(self, more: Mapping[str, str]) -> Answer:
        """Return the same answer with more headers."""
        return self._replace(headers={**self.headers, **more}) if more else self


def json_answer(answer: object, status: int = 200) -> Answer:
    """Return what will be sent as JSON; 503 says when to try again."""
    headers = unavailable("").headers if status == 503 else NOTHING
    return Answer(status, msgspec.json.encode(answer), headers)


def failure(error: Exception) -> Answer:
    """Return the answer that an exception becomes."""
    failed = _as_api_error(error)
    return Answer(failed.status, failed.body(), failed.headers)


def _as_api_error(error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, DatabaseError):
        log.warning("the database cannot answer", error=str(error))
        return unavailable("the database cannot answer now")
    if isinstance(error, HTTPException) and error.status_code < 500:
        code, message = ROUTING.get(error.status_code, ("malformed", error.detail))
        refused = ApiError(error.status_code, code, message)
        refused.headers |= error.headers or {}
        return refused
    log.error("a request failed", exc_info=error)
    return ApiError(500, "internal", "this is a fault of the service; its log says more")


def response(answer: Answer) -> Response[bytes]:
    """Return an answer as the framework takes it."""
    return Response(answer.body, status_code=answer.status, headers=answer.all_headers())


async def answered(work: Awaitable[Answer]) -> Answer:
    """Return what `work` answers, or what its exception becomes."""
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
