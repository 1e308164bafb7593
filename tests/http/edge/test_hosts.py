"""A request names a host that is allowed."""

from __future__ import annotations

import httpx
import pytest

from tests.http.support.gate import body_for
from tests.http.support.site import Site, refusal, refused


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LOCALHOST:80", "[::1]", "[::1]:8000", "127.0.0.1:1"])
def test_loopback_names_are_hosts_by_default(client: httpx.Client, host: str) -> None:
    assert client.get("/health/live", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "evil.example:8000",
        "127.0.0.1.evil.example",
        "localhost:evil",
        "127.0.0.2",
        "192.0.2.1",
        "[::2]",
        "::1",
        "stats.example.com",
        "",
    ],
)
def test_other_hosts_are_misdirected(client: httpx.Client, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/health/live"), ("GET", "/api/analytics/track"), ("POST", "/e")):
        answer = client.request(method, path, headers={"host": host}, content=body_for(path))
        refused(answer, 421, "unknown_host")
        assert "HOURLEDGER_ALLOWED_HOSTS" in answer.text


def test_a_request_without_a_host_is_misdirected(site: Site) -> None:
    for head in (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"):
        status, body = site.raw(head)
        assert status == 421
        refusal(body, "unknown_host")


def test_a_host_of_any_bytes_is_misdirected(site: Site) -> None:
    status, body = site.raw(b"GET / HTTP/1.1\r\nHost: \xff\xfe\r\nConnection: close\r\n\r\n")
    assert status == 421
    refusal(body, "unknown_host")


def test_allowed_hosts_take_the_place_of_the_loopback_names(guarded: Site, open_to_all: Site) -> None:
    for host, status in (
        ("stats.example.com", 200),
        ("STATS.example.com:443", 200),
        ("[::1]:80", 200),
        ("localhost", 421),
        ("example.com", 421),
    ):
        assert guarded.client.get("/health/live", headers={"host": host}).status_code == status
    assert open_to_all.client.get("/health/live", headers={"host": "any.example"}).status_code == 200
