"""Access control: host names, the write key, the read token, other origins (CORS), and who asks behind a proxy."""

from __future__ import annotations

import hmac
import ipaddress
from urllib.parse import parse_qsl

from litestar.types import HTTPScope

from service.http.answers import Headers
from service.http.refusals import ForeignOrigin, Unauthorized, UnknownHost
from service.settings import Settings

SINGLE_PATHS = ("/api/analytics/track", "/e")
BATCH_PATHS = ("/api/analytics/track/batch", "/e/batch")
TRACK_PATHS = frozenset(SINGLE_PATHS + BATCH_PATHS)
CLIENT_PATHS = frozenset({"/analytics.js", "/h.js", "/analytics.mjs", "/analytics.d.mts"})
OPEN_PATHS = frozenset({"/", "/health/live", "/health/ready"}) | CLIENT_PATHS
OPEN_PREFIX = "/assets/"
WRITING = ("POST", "OPTIONS")
READING = ("GET", "HEAD", "OPTIONS")
HTTP_1_0 = ("1.0", "1")  # the server calls it "1"
# Headers that proxies and content delivery networks add.
OF_PROXIES = frozenset({b"forwarded", b"via", b"x-real-ip", b"cf-connecting-ip", b"true-client-ip"})
# The browser client reads the service's clock from Date, and how long to wait from Retry-After.
EXPOSED = {"access-control-expose-headers": "Date, Retry-After"}
# A refused page may learn that the service is there, though not what it says, so that its client can tell why it fails.
SHARED = {"cross-origin-resource-policy": "cross-origin"}
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
        self._proxies = settings.trusted_proxies

    def check(self, scope: HTTPScope, path: str, headers: Headers) -> None:
        """Check the host, and everything else of a request that does not write events. Raises ServiceError.

        path: without trailing and repeated slashes. `check_origin` and `check_write` check writes later.
        """
        self.check_host(headers)
        if path in TRACK_PATHS and scope["method"] in WRITING:
            return
        self.check_read(scope, path, headers)
        if scope["method"] not in READING:
            self.check_origin(headers)

    def check_host(self, headers: Headers) -> None:
        """Refuse a Host that is not ours, to stop DNS rebinding. Raises UnknownHost."""
        host = _host_name(headers.get(b"host", b"").decode("latin-1"))
        if "*" not in self._hosts and host not in self._hosts:
            raise UnknownHost(
                f"this service does not answer for the host {host!r}; HOURLEDGER_ALLOWED_HOSTS names those that it does"
            )

    def check_origin(self, headers: Headers) -> None:
        """Refuse what a page of another origin sends, unless that origin may, or any sender with the key.

        Raises ForeignOrigin.
        """
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if not origin or origin in self._origins or "*" in self._origins:
            return
        if self._write_key is not None and not self._origins:
            return
        if origin.partition("://")[2] != headers.get(b"host", b"").decode("latin-1").lower():
            raise ForeignOrigin(
                f"pages of {origin!r} may not send here; HOURLEDGER_CORS_ORIGINS names the origins that may"
            )

    def address(self, scope: HTTPScope, headers: Headers) -> str:
        """Return the address of the sender; behind a proxy that is trusted, or on this machine, the one it names."""
        client = scope.get("client")
        address = client[0] if client else ""
        hops = headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")
        while hops and self._is_proxy(address):
            address = hops.pop().strip() or address
        return address

    def _is_proxy(self, address: str) -> bool:
        try:
            known = ipaddress.ip_address(address)
        except ValueError:
            return False
        return known.is_loopback or any(known in network for network in self._proxies)

    def check_write(self, scope: HTTPScope, headers: Headers) -> None:
        """Require the write key if one is set. Raises Unauthorized."""
        if self._write_key is None:
            return
        given = (_bearer(headers), headers.get(b"x-write-key", b"").decode("latin-1"), _key_of_query(scope))
        if not any(_same(key, self._write_key) for key in given):
            raise Unauthorized("the write key is missing or wrong: set data-write-key or writeKey, or send x-write-key")

    def check_read(self, scope: HTTPScope, path: str, headers: Headers) -> None:
        """Require the read token if one is set. Otherwise refuse forwarded requests, unless reads are open.

        Raises Unauthorized.
        """
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIX):
            return
        if self._read_token is not None:
            if not _same(_bearer(headers), self._read_token):
                raise Unauthorized("the read token is missing or wrong")
        elif not self._open_reads and _is_forwarded(scope, headers):
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


def _is_forwarded(scope: HTTPScope, headers: Headers) -> bool:
    """Tell whether a proxy passes a request on. nginx adds no header by itself, but asks in HTTP/1.0."""
    return scope["http_version"] in HTTP_1_0 or any(
        name in OF_PROXIES or name.startswith(b"x-forwarded-") for name in headers
    )


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
