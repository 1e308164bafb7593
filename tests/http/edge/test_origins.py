"""Which other origins may send, and that they may not read."""

from __future__ import annotations

import json

import httpx
import pytest

from service.http.gate import CLIENT_PATHS, EXPOSED
from tests.http.conftest import ALLOWED_ORIGINS, WRITE_KEY
from tests.http.support.gate import OPEN, READER, READS, TRACK_PATHS, body_for
from tests.http.support.site import Site, an_event, refused, unique


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
    # Otherwise the client could not tell a refusal from a missing network.
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.status_code == (403 if origin else 200)
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


@pytest.mark.parametrize("path", TRACK_PATHS)
@pytest.mark.parametrize("origin", ["https://any.example", "null", "http://localhost:1", "http://127.0.0.1"])
def test_no_other_origin_may_send_by_default(site: Site, path: str, origin: str) -> None:
    headers = {"origin": origin, "access-control-request-method": "POST"}
    assert cors_headers(site.client.options(path, headers=headers)) == {}
    session = unique("s")
    event = json.dumps(an_event(session_id=session))
    answer = site.client.post(path, content=event if "batch" not in path else f"[{event}]", headers=headers)
    assert "HOURLEDGER_CORS_ORIGINS" in refused(answer, 403, "foreign_origin")
    assert cors_headers(answer) == {}
    assert site.listed(session_id=session) == []


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_our_own_pages_may_send(site: Site, guarded: Site, scheme: str) -> None:
    for there in (site, guarded):
        host = there.running.url.removeprefix("http://")
        headers = {"origin": f"{scheme}://{host}", "x-write-key": WRITE_KEY}
        assert there.client.post("/e", json=an_event(), headers=headers).status_code == 200


def test_the_key_alone_admits_any_origin_unless_origins_are_named(keyed: Site) -> None:
    headers = {"origin": "https://any.example", "x-write-key": WRITE_KEY}
    assert keyed.client.post("/e", json=an_event(), headers=headers).status_code == 200
    assert keyed.client.post("/e", json=an_event(), headers={"origin": "https://any.example"}).status_code == 401


def test_a_page_of_another_origin_saves_nothing(site: Site) -> None:
    path = f"/api/analytics/segments/{unique('segment')}"
    for method in ("PUT", "DELETE"):
        answer = site.client.request(method, path, json={"filters": {}}, headers={"origin": "https://any.example"})
        refused(answer, 403, "foreign_origin")
