"""The cookie of a sign-in. Scripts cannot read it, and only pages of the service send it."""

from __future__ import annotations

from service.access.sign_in_changes import LASTS
from service.http.answers import Headers

NAME = "hourledger_sign_in"


def sign_in_cookie(headers: Headers) -> str:
    """Return the cookie of a request, "" without one. A browser sends the one of the longest path first."""
    if b"cookie" not in headers:
        return ""
    for pair in headers[b"cookie"].decode("latin-1").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == NAME:
            return value
    return ""


def set_cookie(value: str, base_path: str, *, secure: bool) -> dict[str, str]:
    """Return the header that keeps the cookie of a sign-in, or takes it away when it is "".

    base_path: below which browsers send it. secure: send it by https alone.
    """
    seconds = int(LASTS.total_seconds()) if value else 0
    parts = [f"{NAME}={value}", f"Path={base_path or '/'}", f"Max-Age={seconds}", "HttpOnly", "SameSite=Strict"]
    return {"set-cookie": "; ".join([*parts, "Secure"] if secure else parts)}
