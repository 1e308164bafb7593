"""Requests and clients for the services of tests, which speak plain HTTP on this machine."""

from __future__ import annotations

import logging
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

# Without it, httpx loads all trusted certificates for each new client, which takes 20 ms of CPU time.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
# A line for each request of a load would hide what a failed test says.
logging.getLogger("httpx").setLevel(logging.WARNING)
SECONDS = 60
# The service takes httpx for a bot where it sends with a write key.
AGENT = "tests"


def get(url: str, **options: Any) -> httpx.Response:
    """Get a page on a connection of its own."""
    return httpx.get(url, **_usual(options))


def post(url: str, **options: Any) -> httpx.Response:
    """Post on a connection of its own."""
    return httpx.post(url, **_usual(options))


def new_client(url: str, **options: Any) -> httpx.Client:
    """Return a client of a service."""
    return httpx.Client(base_url=url, cookies=_no_cookies(), **_usual(options))


def new_async_client(url: str, **options: Any) -> httpx.AsyncClient:
    """Return an asynchronous client of a service."""
    return httpx.AsyncClient(base_url=url, **_usual(options))


def _no_cookies() -> CookieJar:
    """Return a jar that keeps nothing, because tests share clients and say themselves what a request comes with."""
    return CookieJar(DefaultCookiePolicy(allowed_domains=()))


def _usual(options: dict[str, Any]) -> dict[str, Any]:
    headers = {"user-agent": AGENT} | dict(options.get("headers") or {})
    return {"timeout": SECONDS, "trust_env": False, "verify": NO_CERTIFICATES} | options | {"headers": headers}
