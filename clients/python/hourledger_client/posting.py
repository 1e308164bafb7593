"""Posts a batch with the standard library."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

# Address, key, body, seconds; returns the status, the headers by lower-case names, and the body. Raises OSError.
Post = Callable[[str, str, bytes, float], tuple[int, Mapping[str, str], bytes]]


def post(address: str, key: str, body: bytes, timeout: float) -> tuple[int, dict[str, str], bytes]:
    """Post a JSON body. Raises OSError when there is no answer, also in the middle of one."""
    headers = {"content-type": "application/json", "user-agent": "hourledger-client"}
    if key:
        headers["x-write-key"] = key
    request = Request(address, body, headers, method="POST")  # noqa: S310  # the client checks the scheme
    try:
        with urlopen(request, timeout=timeout) as answer:  # noqa: S310
            return answer.status, _lower(answer.headers.items()), answer.read()
    except HTTPError as error:
        with error:
            return error.code, _lower(error.headers.items()), error.read()
    except HTTPException as error:
        raise OSError(f"the answer broke off: {error!r}") from error


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
