"""Access control: host names, keys, tokens and sign-ins, other origins (CORS), and who asks behind a proxy.

Nothing else looks at the headers and the parameters that this is about. What a key may do is in service/access.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from urllib.parse import parse_qsl

from litestar.types import HTTPScope

from service.access.addresses import address_of
from service.access.bots import Bots
from service.access.errors import WrongSite
from service.access.keys import Right
from service.access.rules import Access, Rules
from service.access.share_links import is_like_a_link
from service.access.sites import Sites
from service.http.answers import Headers
from service.http.asked_site import taken
from service.http.cookies import sign_in_cookie
from service.http.refusals import ForeignOrigin, UnknownHost
from service.http.shared_view import shown_by_link
from service.settings import READ_TOKEN, Settings

SINGLE_PATHS = ("/api/analytics/track", "/e")
BATCH_PATHS = ("/api/analytics/track/batch", "/e/batch")
TRACK_PATHS = frozenset(SINGLE_PATHS + BATCH_PATHS)
CLIENT_PATHS = frozenset({"/analytics.js", "/h.js", "/analytics.mjs", "/analytics.d.mts"})
SIGN_IN_PATH = "/api/analytics/sign-in"
SIGN_OUT_PATH = "/api/analytics/sign-out"
SHARED_PATH = "/shared"
SETTINGS_PATH = "/api/analytics/settings"
OPEN_PATHS = frozenset({"/", SHARED_PATH, SIGN_IN_PATH, SIGN_OUT_PATH, "/health/live", "/health/ready"}) | CLIENT_PATHS
OPEN_PREFIX = "/assets/"
# Paths whose answers are about all sites.
SERVICE_PATHS = frozenset({"/metrics"})
WRITING = ("POST", "OPTIONS")
READING = ("GET", "HEAD", "OPTIONS")
CHANGING = ("PUT", "PATCH", "DELETE")
# Paths whose posts add something; other posts that write no events are questions.
ADDING = ("/api/analytics/annotations",)
# Origins beside the service's own: a cookie changes things for no others.
NO_OTHERS: frozenset[str] = frozenset()
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
    """Lets a request in, or raises its refusal. sites: whose pages may send."""

    def __init__(self, settings: Settings, sites: Sites, rules: Rules) -> None:
        self._hosts = frozenset(settings.allowed_hosts)
        self._origins = frozenset(settings.cors_origins)
        self._proxies = settings.trusted_proxies
        self._user_header = (settings.trusted_user_header or "").encode()
        self._sites = sites
        self._rules = rules
        self._bots = Bots(settings)

    def check(self, scope: HTTPScope, path: str, headers: Headers) -> Access | None:
        """Check a request that does not write events, but for its host; return its access, None on an open path.

        path: without trailing and repeated slashes. The site is taken off the query string. A request that writes
        events is checked by `to_write`, so that pages of other origins can read why. Raises ServiceError.
        """
        if path in TRACK_PATHS and scope["method"] in WRITING:
            return None
        access = None
        if not _is_open(path):
            access = self._access(_right(scope["method"], path), scope, headers, [_bearer(headers)])
            if path in SERVICE_PATHS and not access.everywhere:
                raise WrongSite(
                    f"{path} is about all sites: it needs a key that `keys create --all-sites` makes, or {READ_TOKEN}"
                )
            shown_by_link(access, path, scope)
        if scope["method"] not in READING:
            by_cookie = access is None or access.sign_in is not None
            self._check_origin(headers, NO_OTHERS if by_cookie else self._origins, by_key=False)
            if access is not None and access.sign_in is not None and b"origin" not in headers:
                raise ForeignOrigin("a sign-in changes something only for pages of the service, which send Origin")
        return access

    async def know(self, scope: HTTPScope, path: str, headers: Headers) -> None:
        """Wait until this worker knows the sign-in or the link of a request, which another one may just have made.

        It waits for nothing where no access is needed: only a sign-out must know the sign-in that it ends.
        """
        if (_is_open(path) and path != SIGN_OUT_PATH) or (path in TRACK_PATHS and scope["method"] in WRITING):
            return
        cookie, bearer = sign_in_cookie(headers), _bearer(headers)
        if (cookie and not self._sites.sign_ins.knows(cookie)) or (
            is_like_a_link(bearer) and not self._sites.links.knows(bearer)
        ):
            await self._sites.look_again()

    def to_write(self, scope: HTTPScope, headers: Headers) -> Access:
        """Return the access of a request that writes events.

        Raises as Rules.access does, and ForeignOrigin for a page of another origin unless that origin may send.
        """
        access = self._access(Right.EVENTS, scope, headers, _written_keys(scope, headers))
        # The origins of the site come first. Where none are named at all, a key alone decides.
        origins = frozenset(access.site.origins) or self._origins
        self._check_origin(headers, origins, by_key=access.key is not None and not origins)
        return access

    def check_visitor(self, access: Access, headers: Headers, address: str) -> None:
        """Raise Bot for a sender of events that is a bot. address: of the sender."""
        agent = headers.get(b"user-agent", b"").decode("latin-1")
        self._bots.check(access, agent, address, from_page=bool(headers.get(b"origin")))

    def _access(self, right: Right, scope: HTTPScope, headers: Headers, given: Iterable[str]) -> Access:
        site, scope["query_string"] = taken(scope["query_string"])
        return self._rules.access(
            right,
            given,
            site,
            is_forwarded=partial(_is_forwarded, scope, headers),
            # Pages of other origins may send events, and a browser might add the cookie.
            cookie="" if right is Right.EVENTS or _bearer(headers) else sign_in_cookie(headers),
            is_user=right is not Right.EVENTS and self._is_user(scope, headers),
        )

    def _is_user(self, scope: HTTPScope, headers: Headers) -> bool:
        """Return whether an identity proxy says who asks. It must be named: being on this machine is not enough."""
        if not headers.get(self._user_header):
            return False
        client = scope.get("client")
        known = address_of(client[0] if client else "")
        return known is not None and any(known in network for network in self._proxies)

    def check_host(self, headers: Headers) -> None:
        """Refuse a Host that is not ours, to stop DNS rebinding. Raises UnknownHost."""
        host = _host_name(headers.get(b"host", b"").decode("latin-1"))
        if "*" not in self._hosts and host not in self._hosts:
            raise UnknownHost(
                f"this service does not answer for the host {host!r}; HOURLEDGER_ALLOWED_HOSTS names those that it does"
            )

    def _check_origin(self, headers: Headers, origins: frozenset[str], *, by_key: bool) -> None:
        """Refuse what a page of another origin sends, unless that origin may, or any sender with the key.

        Raises ForeignOrigin.
        """
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if not origin or by_key or origin in origins or "*" in origins:
            return
        if origin.partition("://")[2] != headers.get(b"host", b"").decode("latin-1").lower():
            raise ForeignOrigin(
                f"pages of {origin!r} may not send here; the origins of the site name those that may, or"
                " HOURLEDGER_CORS_ORIGINS where it has none"
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
        known = address_of(address)
        return known is not None and (known.is_loopback or any(known in network for network in self._proxies))

    def is_https(self, scope: HTTPScope, headers: Headers) -> bool:
        """Return whether the browser asked by https, as a proxy says that is trusted, or on this machine."""
        client = scope.get("client")
        said = headers.get(b"x-forwarded-proto", b"").decode("latin-1").rpartition(",")[2].strip().lower()
        return scope["scheme"] == "https" or (said == "https" and self._is_proxy(client[0] if client else ""))

    def cors_headers(self, headers: Headers) -> dict[str, str]:
        """Return the headers that let a page of another origin read a track answer; none unless its origin may.

        They allow the origins of all sites, because a browser asks before it sends the key, which names the site.
        """
        origins = self._origins | self._sites.origins
        if not origins:
            return {}
        if "*" in origins:
            return {"access-control-allow-origin": "*"} | EXPOSED
        origin = headers.get(b"origin", b"").decode("latin-1")
        allowed = {"access-control-allow-origin": origin} | EXPOSED if origin in origins else {}
        return allowed | {"vary": "Origin"}

    def preflight_headers(self, headers: Headers) -> dict[str, str]:
        """Return the headers that let a page of another origin send events; none unless its origin may."""
        allowed = self.cors_headers(headers)
        return allowed | PREFLIGHT if "access-control-allow-origin" in allowed else allowed


def _is_open(path: str) -> bool:
    return path in OPEN_PATHS or path.startswith(OPEN_PREFIX)


def _right(method: str, path: str) -> Right:
    """Return what a request does that writes no events."""
    if path == SETTINGS_PATH or path.startswith(f"{SETTINGS_PATH}/"):
        return Right.SETTINGS
    changes = (method in CHANGING and path not in TRACK_PATHS) or (method == "POST" and path in ADDING)
    return Right.CHANGES if changes else Right.READS


def _host_name(host: str) -> str:
    """Return the name without its port: `[::1]` for `[::1]:8000`."""
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def _bearer(headers: Headers) -> str:
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _written_keys(scope: HTTPScope, headers: Headers) -> Iterator[str]:
    """Give what a sender of events may have sent as its key. A beacon cannot set headers."""
    yield _bearer(headers)
    yield headers.get(b"x-write-key", b"").decode("latin-1")
    if b"key" in scope["query_string"] or b"%" in scope["query_string"]:
        yield _key_of_query(scope)


def _key_of_query(scope: HTTPScope) -> str:
    return dict(parse_qsl(scope["query_string"].decode("latin-1"))).get("key", "")


def _is_forwarded(scope: HTTPScope, headers: Headers) -> bool:
    """Tell whether a proxy passes a request on. nginx adds no header by itself, but asks in HTTP/1.0."""
    return scope["http_version"] in HTTP_1_0 or any(
        name in OF_PROXIES or name.startswith(b"x-forwarded-") for name in headers
    )
