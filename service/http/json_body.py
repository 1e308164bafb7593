"""Bodies that are one JSON document: a question that is too long for a query string, or something to save."""

from __future__ import annotations

import asyncio
import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from service.errors import ApiError

MOST_BYTES = 64 * 1024
PATIENCE_SECONDS = 60.0
_PATH = re.compile(r"(.*) - at `(?:\$\.?)?(.*)`$")
_NAMED = re.compile(r"field `([^`]*)`")

Document = TypeVar("Document")


async def json_body(request: Request[Any, Any, Any], kind: type[Document]) -> Document:
    """Return the body as a struct. Raises ApiError 400 that names the field, 413 or 415."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "unsupported_type", "the content type must be application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise ApiError(415, "unsupported_encoding", "the content encoding must be identity")
    body = await _read(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ApiError(400, "malformed", f"the body is not JSON: {error}") from error


async def _read(request: Request[Any, Any, Any]) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise ApiError(413, "too_large", f"the body is larger than {MOST_BYTES} bytes")
    except TimeoutError as error:
        raise ApiError(400, "malformed", f"the body did not end within {PATIENCE_SECONDS:g} seconds") from error
    return body


def _refused(said: str) -> ApiError:
    """Return the 400 for what msgspec says, such as "Expected `int`, got `str` - at `$.steps[0].action`"."""
    placed = _PATH.match(said)
    message, place = placed.groups() if placed else (said, "")
    place = place.replace("[...]", "")  # the key of a mapping is not told
    named = _NAMED.search(message)
    field = ".".join(part for part in (place, named and named[1]) if part)
    return ApiError(400, "invalid", message.replace("`", ""), field or None)
