"""Unknown paths and bad requests: every path answers them with the same form of error."""

from __future__ import annotations

import httpx
import pytest

from tests.http.support.gate import READS, TRACK_PATHS
from tests.http.support.site import Site, an_event, refusal, refused


@pytest.mark.parametrize(
    "path",
    [
        *("/nothing", "/api", "/api/analytics", "/api/analytics/tracks", "/api/analytics/track/x", "/e/x", "/health"),
        *(
            "/assets/",
            "/assets/nothing.js",
            "/assets/../page.py",
            "/assets/page.html",
            "/favicon.ico",
            "/docs",
            "/schemas",
        ),
        *("/%00", "/%ff", "/..%2f..%2fetc%2fpasswd", "/api/analytics/rollups/a%2fb"),
    ],
)
def test_a_path_that_is_not_there(client: httpx.Client, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        answer = client.request(method, path)
        refused(answer, 404, "not_found")
        assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/", {"GET", "OPTIONS"}),
        ("/assets/swagger-ui.css", {"GET", "OPTIONS"}),
        ("/api/analytics/track", {"GET", "POST", "OPTIONS"}),
        ("/e", {"GET", "POST", "OPTIONS"}),
        ("/api/analytics/track/batch", {"POST", "OPTIONS"}),
        ("/e/batch", {"POST", "OPTIONS"}),
        ("/api/analytics/rollups", {"GET", "OPTIONS"}),
        ("/api/analytics/rollups/2025-10-18T01:00Z", {"GET", "OPTIONS"}),
        ("/health/live", {"GET", "OPTIONS"}),
        ("/health/ready", {"GET", "OPTIONS"}),
        ("/metrics", {"GET", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_answered(client: httpx.Client, path: str, allowed: set[str]) -> None:
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "FOO"} - allowed:
        answer = client.request(method, path, content=b"{}")
        refused(answer, 405, "method_not_allowed")
        assert {name.strip() for name in answer.headers["allow"].split(",")} == allowed


def test_options_names_every_method(client: httpx.Client) -> None:
    for path, allowed in (("segments/x", {"PUT", "DELETE", "OPTIONS"}), ("segments", {"GET", "OPTIONS"})):
        for answer in (client.options(f"/api/analytics/{path}"), client.patch(f"/api/analytics/{path}")):
            assert {name.strip() for name in answer.headers["allow"].split(",")} == allowed


@pytest.mark.parametrize("path", [*READS, "/health/ready", "/api/analytics/export"])
def test_what_is_answered_is_not_taken_for_something_else_or_by_others(client: httpx.Client, path: str) -> None:
    for answer in (client.get(path), client.get(path, params={"nonsense": "x"}), client.post(path, json=an_event())):
        assert answer.headers["x-content-type-options"] == "nosniff"
        # A page of another origin is told whether it may send.
        is_write = answer.request.method == "POST" and path in TRACK_PATHS
        assert answer.headers["cross-origin-resource-policy"] == ("cross-origin" if is_write else "same-origin")


def test_a_stream_is_not_taken_for_something_else(client: httpx.Client) -> None:
    with client.stream("GET", "/api/analytics/live") as answer:
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/health/live", "/health/ready", "/metrics", "/api/analytics/rollups", "/e"])
def test_head_answers_as_get_does_without_a_body(client: httpx.Client, path: str) -> None:
    answer = client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == client.get(path).headers["content-type"]


def test_head_of_what_is_not_there(client: httpx.Client) -> None:
    assert client.head("/nothing").status_code == 404
    assert client.head("/e/batch").status_code == 405


def test_no_content_has_no_length(client: httpx.Client) -> None:
    answer = client.options("/e")
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-length" not in answer.headers
    assert "content-type" not in answer.headers


def test_headers_of_any_bytes_are_no_fault(site: Site) -> None:
    head = b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
    for header in (b"X-Any: \xff\xfe", b"Content-Type: \x80", b"Origin: \xff", b"Content-Encoding: \xff"):
        assert site.raw(head + header + b"\r\n\r\n")[0] == 200
    encoded = head.replace(b"GET /health/live", b"POST /e") + b"Content-Length: 2\r\nContent-Encoding: \xff\r\n\r\n{}"
    status, body = site.raw(encoded)
    assert status == 415
    refusal(body, "unsupported_encoding")


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX\xff: 1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: x\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_refused_and_the_next_is_answered(site: Site, head: bytes) -> None:
    assert site.raw(head)[0] == 400
    assert site.client.get("/health/live").status_code == 200
