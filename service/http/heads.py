"""What the head of a request says about who sends it. It is looked at and never stored."""

from __future__ import annotations

from service.access.bots import AGENT_CHARACTERS
from service.http.answers import Headers


def agent_of(headers: Headers) -> str:
    """Return the beginning of the User-Agent; no list looks at more."""
    return headers.get(b"user-agent", b"")[:AGENT_CHARACTERS].decode("latin-1")


def origin_of(headers: Headers) -> str:
    """Return the origin of the page that sends, "" when none does."""
    return headers.get(b"origin", b"").decode("latin-1")
