"""Posts a batch with the standard library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener
from urllib.response import addinfourl

# Address, key, body, seconds; returns the status, the headers by lower-case names, and the body. Raises OSError.
Post = Callable[[str, str, bytes, float], tuple[int, Mapping[str, str], bytes]]


class _StayHere(HTTPRedirectHandler):
    """Follows no redirect: urllib would send a GET without the events, and the key to whatever host is named."""

    def redirect_request(self, *_: Any) -> None:
        return None


def post(address: str, key: str, body: bytes, timeout: float) -> tuple[int, dict[str, str], bytes]:
    """Post a JSON body. Raises OSError when there is no answer, also in the middle of one, and for a redirect."""
    headers = {"content-type": "application/json", "user-agent": "hourledger-client"}
    if key:
        headers["x-write-key"] = key
    request = Request(address, body, headers, method="POST")  # noqa: S310  # the client checks the scheme
    try:
        with _answer(request, timeout) as answer:
            status, told, said = answer.status or 0, _lower(answer.headers.items()), answer.read()
    except HTTPException as error:
        raise OSError(f"the answer broke off: {error!r}") from error
    if 300 <= status < 400:
        raise OSError(f"{address} redirects ({status}) to {told.get('location')}: give the client that endpoint")
    return status, told, said


def _answer(request: Request, timeout: float) -> addinfourl:
    try:
        answer: addinfourl = _opener().open(request, timeout=timeout)
    except HTTPError as error:  # an answer like any other
        return error
    return answer


@cache
def _opener() -> OpenerDirector:
    return build_opener(_StayHere)


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
