"""The site that a request names: the parameter `site` of its query string."""

from __future__ import annotations

from urllib.parse import unquote_plus, unquote_to_bytes

from service.errors import Unreadable
from service.questions.parameters import SITE, invalid


def taken(query: bytes) -> tuple[str | None, bytes]:
    """Return the site that a query string names, None without one, and the rest of the query string. Raises Invalid."""
    if SITE.encode() not in query and b"%" not in query:  # most requests name no site
        return None, query
    named: list[bytes] = []
    rest: list[bytes] = []
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        is_site = unquote_to_bytes(name) == SITE.encode()
        (named if is_site else rest).append(value if is_site else pair)
    if not named:
        return None, query
    if len(named) > 1:
        raise invalid(SITE, "must be given once")
    try:
        return unquote_plus(named[0].decode("ascii"), errors="strict"), b"&".join(rest)
    except ValueError as error:
        raise Unreadable("the query string is not URL-encoded UTF-8") from error
