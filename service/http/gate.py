"""Access control: host names, the write key, the read token, and other origins (CORS)."""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl

from litestar.types import HTTPScope

from service.http.answers import Headers
from service.http.refusals import Unauthorized, UnknownHost
from service.settings import Settings

SINGLE_PATHS = ("/api/analytics/track", "/e")
BATCH_PATHS = ("/api/analytics/track/batch", "/e/batch")
TRACK_PATHS = frozenset(SINGLE_PATHS + BATCH_PATHS)
CLIENT_PATHS = frozenset({"/analytics.js", "/h.js", "/analytics.mjs", "/analytics.d.mts"})
OPEN_PATHS = frozenset({"/", "/health/live", "/health/ready"}) | CLIENT_PATHS
OPEN_PREFIX = "/assets/"
WRITING = ("POST", "OPTIONS")
# The browser client reads the service's clock from Date, and how long to wait from Retry-After.
EXPOSED = {"access-control-expose-headers": "Date, Retry-After"}
PREFLIGHT = {
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "authorization, content-encoding, content-type, x-write-key",
    "access-control-max-age": "86400",
}


class Gate:
    """Lets a request in, or raises its refusal."""

    def __init__(self, settings: Settings) -> None:
        self._hosts = frozenset(settings.allowed_hosts)
        self._write_key = settings.write_key
        self._read_token = settings.read_token
        self._open_reads = settings.open_reads
        self._origins = frozenset(settings.cors_origins)

    def check(self, scope: HTTPScope, headers: Headers) -> None:
        """Check the host and, for reads, the token. `check_write` checks writes later. Raises ServiceError."""
        self.check_host(headers)
        if not (scope["path"] in TRACK_PATHS and scope["method"] in WRITING):
            self.check_read(scope, headers)

    def check_host(self, headers: Headers) -> None:
        """Refuse a Host that is not ours, to stop DNS rebinding. Raises UnknownHost."""
        host = _host_name(headers.get(b"host", b"").decode("latin-1"))
        if "*" not in self._hosts and host not in self._hosts:
            raise UnknownHost(f"this service does not answer for the host {host!r}")

    def check_write(self, scope: HTTPScope, headers: Headers) -> None:
        """Require the write key if one is set. Raises Unauthorized."""
        if self._write_key is None:
            return
        given = (_bearer(headers), headers.get(b"x-write-key", b"").decode("latin-1"), _key_of_query(scope))
        if not any(_same(key, self._write_key) for key in given):
            raise Unauthorized("the write key is missing or wrong")

    def check_read(self, scope: HTTPScope, headers: Headers) -> None:
        """Require the read token if one is set. Otherwise refuse forwarded requests, unless reads are open.

        Raises Unauthorized.
        """
        path = scope["path"]
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIX):
            return
        if self._read_token is not None:
            if not _same(_bearer(headers), self._read_token):
                raise Unauthorized("the read token is missing or wrong")
        elif not self._open_reads and _is_forwarded(headers):
            raise Unauthorized(
                "reads through a proxy need HOURLEDGER_READ_TOKEN, or HOURLEDGER_OPEN_READS=1 to let everyone read",
            )

    def cors_headers(self, headers: Headers) -> dict[str, str]:
        """Return the headers that let a page of another origin read a track answer; none unless its origin may."""
        if not self._origins:
            return {}
        if "*" in self._origins:
            return {"access-control-allow-origin": "*"} | EXPOSED
        origin = headers.get(b"origin", b"").decode("latin-1")
        allowed = {"access-control-allow-origin": origin} | EXPOSED if origin in self._origins else {}
        return allowed | {"vary": "Origin"}

    def preflight_headers(self, headers: Headers) -> dict[str, str]:
        """Return the headers that let a page of another origin send events; none unless its origin may."""
        allowed = self.cors_headers(headers)
        return allowed | PREFLIGHT if "access-control-allow-origin" in allowed else allowed


def _host_name(host: str) -> str:
    """Return the name without its port: `[::1]` for `[::1]:8000`."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _key_of_query(scope: HTTPScope) -> str:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("key", "")


def _is_forwarded(headers: Headers) -> bool:
    return any(name == b"forwarded" or name.startswith(b"x-forwarded-") for name in headers)


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
