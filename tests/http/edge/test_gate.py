"""Who may send and who may read: the write key, the read token, and requests that a proxy passes on."""

from __future__ import annotations

import httpx
import pytest

from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.gate import OPEN, READER, READS, TRACK_PATHS, body_for
from tests.http.support.site import Site, an_event, refusal, refused

FORWARDED = (
    *("Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Forwarded-Anything"),
    *("Via", "X-Real-IP", "CF-Connecting-IP", "True-Client-IP"),
)


@pytest.mark.parametrize("path", TRACK_PATHS)
@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"authorization": f"Bearer {WRITE_KEY}"}, ""),
        ({"authorization": f"bearer  {WRITE_KEY}"}, ""),
        ({"x-write-key": WRITE_KEY}, ""),
        ({}, f"?key={WRITE_KEY}"),
        ({"authorization": f"Bearer {READ_TOKEN}", "x-write-key": WRITE_KEY}, ""),
        ({"authorization": "Basic dTpw"}, f"?a=b&key={WRITE_KEY}"),
    ],
    ids=["bearer", "bearer in small", "header", "query", "header beside a token", "query beside basic"],
)
def test_the_write_key_opens_track_in_three_ways(guarded: Site, path: str, headers: dict[str, str], query: str) -> None:
    answer = guarded.client.post(path + query, content=body_for(path), headers=headers)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("path", TRACK_PATHS)
@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({}, ""),
        ({"authorization": "Bearer"}, ""),
        ({"authorization": f"Bearer {READ_TOKEN}"}, ""),
        ({"authorization": WRITE_KEY}, ""),
        ({"authorization": f"Basic {WRITE_KEY}"}, ""),
        ({"x-write-key": WRITE_KEY[:-1]}, ""),
        ({"x-write-key": WRITE_KEY + "x"}, ""),
        ({"x-write-key": WRITE_KEY.upper()}, ""),
        ({}, "?key="),
        ({}, f"?KEY={WRITE_KEY}"),
        ({}, f"?key=wrong-{WRITE_KEY}"),
        ({}, "?key=%ff%00"),
    ],
)
def test_track_without_the_write_key_is_refused(guarded: Site, path: str, headers: dict[str, str], query: str) -> None:
    answer = guarded.client.post(path + query, content=body_for(path), headers=headers)
    message = refused(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"
    assert WRITE_KEY not in message


def test_a_key_of_any_bytes_is_a_wrong_key(guarded: Site) -> None:
    for header in (b"Authorization: Bearer \xff\xfe", b"X-Write-Key: \xc3\x28", b"Authorization: \xff"):
        head = (
            b"POST /e HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: 2\r\n"
            + header
            + b"\r\n\r\n{}"
        )
        status, body = guarded.raw(head)
        assert status == 401
        refusal(body, "unauthorized")


def test_the_body_of_a_stranger_is_not_looked_at(guarded: Site) -> None:
    for content, headers in ((b"nonsense", {}), (b"x", {"content-encoding": "br"}), (b" " * 70_000, {})):
        refused(guarded.client.post("/e", content=content, headers=headers), 401, "unauthorized")


@pytest.mark.parametrize("path", READS)
def test_every_read_needs_the_read_token(guarded: Site, path: str) -> None:
    status = 404 if path in ("/nothing/here", "/health", "/assets") else 200
    assert guarded.client.get(path, headers=READER).status_code == status
    for headers in (
        {},
        {"authorization": f"Bearer {WRITE_KEY}"},
        {"authorization": f"Bearer {READ_TOKEN}x"},
        {"authorization": f"Basic {READ_TOKEN}"},
        {"x-write-key": READ_TOKEN},
    ):
        answer = guarded.client.get(path, headers=headers)
        refused(answer, 401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
        assert answer.headers["cache-control"] == "no-store"
    refused(guarded.client.get(path, params={"key": READ_TOKEN}), 401, "unauthorized")


def test_other_methods_need_the_read_token_too(guarded: Site) -> None:
    for method in ("HEAD", "PUT", "DELETE", "PATCH"):
        for path in ("/api/analytics/track", "/api/analytics/rollups", "/metrics"):
            assert guarded.client.request(method, path).status_code == 401


@pytest.mark.parametrize("path", OPEN)
def test_the_page_the_client_and_health_are_open(guarded: Site, path: str) -> None:
    assert guarded.client.get(path).status_code == 200


@pytest.mark.parametrize("header", FORWARDED)
def test_what_a_proxy_passes_on_cannot_read_without_a_token(site: Site, header: str) -> None:
    headers = {header: "for=192.0.2.1"}
    for path in READS:
        message = refused(site.client.get(path, headers=headers), 401, "unauthorized")
        assert "HOURLEDGER_READ_TOKEN" in message
    for path in OPEN:
        assert site.client.get(path, headers=headers).status_code != 401
    assert site.client.post("/e", json=an_event(), headers=headers).status_code == 200


@pytest.mark.parametrize("path", READS)
def test_what_asks_in_http_1_0_as_nginx_does_cannot_read_without_a_token(site: Site, path: str) -> None:
    head = b"GET %b HTTP/1.0\r\nHost: 127.0.0.1:8000\r\nConnection: close\r\n\r\n"
    status, body = site.raw(head % path.encode())
    assert status == 401
    assert "HOURLEDGER_READ_TOKEN" in refusal(body, "unauthorized")
    assert site.raw(head % b"/health/ready")[0] == 200


@pytest.mark.parametrize("path", ["/e/", "//e", "/e//", "/api/analytics/track/", "//api//analytics//track"])
def test_slashes_make_no_other_path(guarded: Site, path: str) -> None:
    url = f"{guarded.running.url}{path}"
    assert guarded.client.get(url, headers=READER).status_code == 200
    assert guarded.client.get(url).status_code == 401
    assert guarded.client.post(url, json=an_event(), headers={"x-write-key": WRITE_KEY}).status_code == 200
    message = refused(guarded.client.post(url, json=an_event()), 401, "unauthorized")
    assert "write key" in message
    assert guarded.client.get(f"{guarded.running.url}/health/ready/").status_code == 200


def test_a_proxy_may_pass_on_reads_with_the_token_or_when_all_may_read(guarded: Site, open_to_all: Site) -> None:
    proxied = {"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1"}
    assert guarded.client.get("/api/analytics/rollups", headers=READER | proxied).status_code == 200
    refused(guarded.client.get("/api/analytics/rollups", headers=proxied), 401, "unauthorized")
    assert open_to_all.client.get("/api/analytics/rollups", headers=proxied).status_code == 200


@pytest.mark.parametrize("path", [read for read in READS if read != "/nothing/here"][:5])
def test_answers_with_data_are_not_kept_by_anyone(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"
    assert client.get(path, params={"nonsense": 1}).headers["cache-control"] == "no-store"
    assert client.post("/e", json=an_event()).headers["cache-control"] == "no-store"
