"""Bodies that are one JSON document: a question that is too long for a query string, or something to save."""

from __future__ import annotations

import asyncio
import re
from typing import Any, TypeVar

import msgspec
from litestar import Request

from service.errors import Invalid, TooLarge, Unreadable
from service.http.refusals import UnsupportedEncoding, UnsupportedType

MOST_BYTES = 64 * 1024
PATIENCE_SECONDS = 60.0
_PATH = re.compile(r"(.*) - at `(?:\$\.?)?(.*)`$")
_NAMED = re.compile(r"field `([^`]*)`")

Document = TypeVar("Document")


async def json_body(request: Request[Any, Any, Any], kind: type[Document]) -> Document:
    """Return the body as a struct. Raises Invalid that names the field, TooLarge, and UnsupportedType or Encoding."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedType("the content type must be application/json")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedEncoding("the content encoding must be identity")
    body = await _read(request)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise _refused(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unreadable(f"the body is not JSON: {error}") from error


async def _read(request: Request[Any, Any, Any]) -> bytes:
    body = b""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise TooLarge(f"the body is larger than {MOST_BYTES} bytes")
    except TimeoutError as error:
        raise Unreadable(f"the body did not end within {PATIENCE_SECONDS:g} seconds") from error
    return body


def _refused(said: str) -> Invalid:
    """Return the error for what msgspec says, such as "Expected `int`, got `str` - at `$.steps[0].action`"."""
    placed = _PATH.match(said)
    message, place = placed.groups() if placed else (said, "")
    place = place.replace("[...]", "")  # the key of a mapping is not told
    named = _NAMED.search(message)
    field = ".".join(part for part in (place, named and named[1]) if part)
    return Invalid(message.replace("`", ""), field or None)
