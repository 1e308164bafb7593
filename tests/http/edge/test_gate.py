"""Access: keys, tokens, proxies, host names and other origins; and no answer or log shows a secret."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from service.http.gate import CLIENT_PATHS, EXPOSED
from tests.http.conftest import ALLOWED_ORIGINS, READ_TOKEN, WRITE_KEY
from tests.http.support.site import Site, an_event, refusal, refused

TRACK_PATHS = ("/api/analytics/track", "/e", "/api/analytics/track/batch", "/e/batch")
READS = (
    "/api/analytics/track",
    "/e",
    "/api/analytics/rollups",
    "/api/analytics/rollups/2025-10-18T01:00Z",
    "/metrics",
    "/nothing/here",
    "/health",
    "/assets",
    "/health/ready/",
)
OPEN = ("/", "/assets/core/page.css", "/assets/core/main.js", "/health/live", "/health/ready", *sorted(CLIENT_PATHS))
FORWARDED = ("Forwarded", "X-Forwarded-For", "x-forwarded-proto", "X-Forwarded-Host", "X-Forwarded-Anything")
WRITER = {"authorization": f"Bearer {WRITE_KEY}"}
READER = {"authorization": f"Bearer {READ_TOKEN}"}


def body_for(path: str) -> str:
    return json.dumps(an_event() if "batch" not in path else [an_event()])


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


def test_a_proxy_may_pass_on_reads_with_the_token_or_when_all_may_read(guarded: Site, open_to_all: Site) -> None:
    proxied = {"x-forwarded-for": "192.0.2.1", "forwarded": "for=192.0.2.1"}
    assert guarded.client.get("/api/analytics/rollups", headers=READER | proxied).status_code == 200
    refused(guarded.client.get("/api/analytics/rollups", headers=proxied), 401, "unauthorized")
    assert open_to_all.client.get("/api/analytics/rollups", headers=proxied).status_code == 200


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
        refused(client.request(method, path, headers={"host": host}, content=body_for(path)), 421, "unknown_host")


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


def cors_headers(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


@pytest.mark.parametrize("path", TRACK_PATHS)
@pytest.mark.parametrize("origin", ALLOWED_ORIGINS)
def test_an_allowed_origin_may_send(guarded: Site, path: str, origin: str) -> None:
    preflight = guarded.client.options(
        path,
        headers={
            "origin": origin,
            "access-control-request-method": "POST",
            "access-control-request-headers": "content-type,x-write-key",
        },
    )
    assert preflight.status_code == 204
    allowed = cors_headers(preflight)
    assert allowed["access-control-allow-origin"] == origin
    assert allowed["access-control-allow-methods"] == "POST"
    names = {name.strip() for name in allowed["access-control-allow-headers"].split(",")}
    assert names == {"authorization", "content-encoding", "content-type", "x-write-key"}
    assert preflight.headers["vary"] == "Origin"
    for key, status in ((WRITE_KEY, 200), ("wrong", 401)):
        answer = guarded.client.post(path, content=body_for(path), headers={"origin": origin, "x-write-key": key})
        assert answer.status_code == status
        assert cors_headers(answer) == {"access-control-allow-origin": origin} | EXPOSED
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://app.example.com", "https://app.example.com.evil.example", ""]
)
def test_another_origin_is_told_nothing(guarded: Site, origin: str) -> None:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    preflight = guarded.client.options("/e", headers=headers)
    answer = guarded.client.post("/e", json=an_event(), headers={"origin": origin, "x-write-key": WRITE_KEY})
    assert cors_headers(preflight) == cors_headers(answer) == {}
    assert preflight.headers["vary"] == answer.headers["vary"] == "Origin"


def test_any_origin_may_send_when_all_are_allowed_and_never_with_credentials(open_to_all: Site) -> None:
    headers = {"origin": "https://any.example", "access-control-request-method": "POST"}
    preflight = open_to_all.client.options("/e", headers=headers)
    assert cors_headers(preflight)["access-control-allow-origin"] == "*"
    answer = open_to_all.client.post("/e", json=an_event(), headers=headers)
    assert cors_headers(answer) == {"access-control-allow-origin": "*"} | EXPOSED
    assert "access-control-allow-credentials" not in preflight.headers


@pytest.mark.parametrize("path", [*READS, *sorted({*OPEN} - CLIENT_PATHS)])
def test_no_read_is_shared_with_other_origins(guarded: Site, open_to_all: Site, path: str) -> None:
    for there in (guarded, open_to_all):
        headers = {"origin": ALLOWED_ORIGINS[0], **READER}
        assert cors_headers(there.client.get(path, headers=headers)) == {}
        if path not in TRACK_PATHS:
            assert cors_headers(there.client.options(path, headers=headers)) == {}


def test_no_origin_may_send_by_default(site: Site) -> None:
    headers = {"origin": "https://any.example", "access-control-request-method": "POST"}
    assert cors_headers(site.client.options("/e", headers=headers)) == {}
    assert cors_headers(site.client.post("/e", json=an_event(), headers=headers)) == {}


def secrets_told(*answers: httpx.Response) -> list[str]:
    """Return the texts of the answers that hold a secret."""
    told = [answer.text + str(answer.headers) for answer in answers]
    return [text for text in told if WRITE_KEY in text or READ_TOKEN in text]


def test_no_answer_tells_a_secret(guarded: Site) -> None:
    client = guarded.client
    answers = [
        client.post(f"/e?key={WRITE_KEY}", json=an_event()),
        client.post(f"/e?key={WRITE_KEY}", content=b"nonsense"),
        client.post(f"/e?key={WRITE_KEY}x", json=an_event()),
        client.post("/e", content=b"{", headers=WRITER | {"content-encoding": "br"}),
        client.post("/e", json=an_event(extra=1), headers={"x-write-key": WRITE_KEY}),
        client.put(f"/e?key={WRITE_KEY}", headers=READER),
        client.get(f"/e?key={WRITE_KEY}&token={READ_TOKEN}", headers=READER),
        client.get(f"/nothing?key={WRITE_KEY}", headers=READER),
        client.get("/api/analytics/rollups?hours=0", headers=READER),
        client.get("/api/analytics/rollups", headers=WRITER),
        client.get("/api/analytics/rollups", headers=WRITER | {"host": "evil.example"}),
        client.get(f"/metrics?key={WRITE_KEY}", headers=READER),
        client.get("/health/ready", headers=WRITER),
    ]
    assert {answer.status_code for answer in answers} == {200, 400, 401, 404, 405, 415, 421}
    assert secrets_told(*answers) == []
    assert WRITE_KEY not in guarded.log()
    assert READ_TOKEN not in guarded.log()


@contextmanager
def broken(site: Site, name: str, body: str) -> Iterator[None]:
    """Replace a function of the database by one whose rows the service cannot read."""
    ((working, arguments, result),) = site.rows(
        "select pg_get_functiondef(f), pg_get_function_arguments(f), pg_get_function_result(f)"
        " from (select $1::text::regproc::oid) as asked (f)",
        name,
    )
    site.rows(f"create or replace function {name}({arguments}) returns {result} language sql as $${body}$$")
    try:
        yield
    finally:
        site.rows(working)


def test_a_fault_of_the_service_is_logged_without_secrets(guarded: Site) -> None:
    client = guarded.client
    with broken(guarded, "append_events", "select 1, 'nonsense'::text"):
        answers = [
            client.post("/e", json=an_event(), headers=WRITER),
            client.post(f"/e?key={WRITE_KEY}", json=an_event()),
            client.post("/e/batch", json=[an_event()], headers={"x-write-key": WRITE_KEY}),
        ]
    with broken(guarded, "read_hourly", "select 'event_type', null::timestamptz, null::text, null::bigint"):
        answers.append(client.get(f"{READS[3]}?key={WRITE_KEY}", headers=READER))
    for answer in answers:
        refused(answer, 500, "internal")
    assert secrets_told(*answers) == []
    log = guarded.log()
    assert log.count("a request failed") == len(answers)
    assert WRITE_KEY not in log
    assert READ_TOKEN not in log


@pytest.mark.parametrize("path", [read for read in READS if read != "/nothing/here"][:5])
def test_answers_with_data_are_not_kept_by_anyone(client: httpx.Client, path: str) -> None:
    assert client.get(path).headers["cache-control"] == "no-store"
    assert client.get(path, params={"nonsense": 1}).headers["cache-control"] == "no-store"
    assert client.post("/e", json=an_event()).headers["cache-control"] == "no-store"
