"""Keys over HTTP: their site, their origins, and what the keys of pages may send."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from service.http.gate import BATCH_PATHS, SINGLE_PATHS
from service.ingest.event import MAX_PAGE_BYTES, MAX_PAGE_EVENTS, OUTBOX_AGE, PAGE_AHEAD
from tests.http.conftest import WRITE_KEY
from tests.http.support.keyed import ORIGIN, Guarded
from tests.http.support.site import an_event, now, refused, unique


def test_refusals_say_what_to_do(keyed_sites: Guarded) -> None:
    keys, client = keyed_sites.keys, keyed_sites.site.client
    bearer = {name: {"authorization": f"Bearer {key}"} for name, key in keys.items()}
    path = "/api/analytics/summary"
    message = refused(client.get(path, headers=bearer["write"]), 403, "wrong_kind")
    assert message == (
        f"the key {keys['write'][:12]} is of the kind write, but reading needs a read or admin key;"
        " `python -m service keys create` makes one"
    )
    message = refused(client.put("/api/analytics/segments/a", headers=bearer["read"], json={}), 403, "wrong_kind")
    assert "saving and deleting need an admin key" in message
    message = refused(client.get(f"{path}?site=blog", headers=bearer["read"]), 403, "wrong_site", "site")
    assert message == f"the key {keys['read'][:12]} is of only the site 'default', not 'blog'"
    # It does not tell which sites there are.
    refused(client.get(f"{path}?site=no-such", headers=bearer["read"]), 403, "wrong_site", "site")
    refused(client.get(f"{path}?site=no-such", headers=bearer["admin of all"]), 404, "unknown_site", "site")
    assert "keys create --all-sites" in refused(client.get("/metrics", headers=bearer["read"]), 403, "wrong_site")
    assert "has expired" in refused(client.get(path, headers=bearer["expired"]), 401, "unauthorized")
    assert "was revoked" in refused(client.get(path, headers=bearer["revoked"]), 401, "unauthorized")


def test_a_key_chooses_its_site(keyed_sites: Guarded) -> None:
    keys, session = keyed_sites.keys, unique("s")
    assert keyed_sites.send(keys["write of another site"], an_event(session_id=session)).status_code == 200
    path = f"/api/analytics/sessions/{session}"
    for name, query, status in (
        ("read of another site", "", 200),
        ("read of another site", "?site=blog", 200),
        ("admin of all", "?site=blog", 200),
        ("admin of all", "", 404),
        ("read", "", 404),
    ):
        headers = {"authorization": f"Bearer {keys[name]}"}
        assert keyed_sites.site.client.get(path + query, headers=headers).status_code == status, (name, query)


@pytest.mark.parametrize("path", [*SINGLE_PATHS, *BATCH_PATHS])
def test_a_key_may_be_sent_in_three_ways(keyed_sites: Guarded, path: str) -> None:
    key, client = keyed_sites.keys["write"], keyed_sites.site.client
    body = json.dumps([an_event()] if "batch" in path else an_event())
    assert client.post(path, content=body, headers={"authorization": f"Bearer {key}"}).status_code == 200
    assert client.post(path, content=body, headers={"x-write-key": key}).status_code == 200
    assert client.post(f"{path}?k%65y={key}", content=body).status_code == 200


def test_pages_of_the_site_may_send_with_its_key_and_no_others(keyed_sites: Guarded) -> None:
    key, client = keyed_sites.keys["write of another site"], keyed_sites.site.client
    asked = {"origin": ORIGIN, "access-control-request-method": "POST"}
    assert client.options("/e", headers=asked).headers["access-control-allow-origin"] == ORIGIN
    answer = keyed_sites.send(key, an_event(), origin=ORIGIN)
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    answer = keyed_sites.send(key, an_event(), origin="https://evil.example")
    assert "the origins of the site" in refused(answer, 403, "foreign_origin")
    assert "access-control-allow-origin" not in answer.headers
    # A site without origins, where HOURLEDGER_CORS_ORIGINS names none either: the key alone decides, as ever.
    assert keyed_sites.send(keyed_sites.keys["write"], an_event(), origin="https://any.example").status_code == 200


MARGIN = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("distance", "code"),
    [
        (-OUTBOX_AGE + MARGIN, None),
        (-OUTBOX_AGE - MARGIN, "expired"),
        (PAGE_AHEAD - MARGIN, None),
        (PAGE_AHEAD + MARGIN, "future"),
    ],
)
def test_a_write_key_sends_events_of_about_now(keyed_sites: Guarded, distance: timedelta, code: str | None) -> None:
    event = an_event(at=now() + distance, event_id=unique("evt"))
    answer = keyed_sites.send(keyed_sites.keys["write"], event)
    other = an_event(event_id=unique("evt"))
    batch = keyed_sites.send(keyed_sites.keys["write"], event, other, path="/e/batch").json()
    if code is None:
        assert answer.status_code == 200
        assert (batch["stored"], batch["duplicates"], batch["errors"]) == (1, 1, [])
    else:
        message = refused(answer, 422, code, "timestamp")
        assert message.endswith("but this write key is for pages: send it with a server key")
        assert batch["errors"] == [{"index": 0, "code": code, "message": message, "field": "timestamp"}]
        assert batch["event_ids"] == [None, other["event_id"]]
    for name in ("server", "admin", "environment write key"):
        assert keyed_sites.send(keyed_sites.keys[name], event).status_code == 200


def test_a_write_key_sends_no_more_at_once_than_the_browser_client(keyed_sites: Guarded) -> None:
    events = [an_event(event_id=unique("evt")) for _ in range(MAX_PAGE_EVENTS + 1)]
    write, server = keyed_sites.keys["write"], keyed_sites.keys["server"]
    assert "server key" in refused(keyed_sites.send(write, *events, path="/e/batch"), 413, "too_large")
    assert keyed_sites.send(write, *events[:-1], path="/e/batch").json()["stored"] == MAX_PAGE_EVENTS
    large = [an_event(properties={"text": "x" * 16_000}) for _ in range(MAX_PAGE_BYTES // 16_000 + 1)]
    refused(keyed_sites.send(write, *large, path="/e/batch"), 413, "too_large")
    assert keyed_sites.send(server, *large, *events, path="/e/batch").json()["rejected"] == 0


def test_the_bounds_are_those_of_the_browser_client() -> None:
    source = (Path(__file__).parents[3] / "service/web/client/storage.js").read_text()
    bounds = {
        name: int(number.replace("_", ""))
        for name, number in re.findall(r"^const (\w+) = ([\d_]+);", source, re.MULTILINE)
    }
    assert bounds["BATCH"] == MAX_PAGE_EVENTS
    assert 3 * (bounds["BATCH_BYTES"] + 65_536) < MAX_PAGE_BYTES


def test_the_snippet_tells_a_key_to_those_who_may_write(keyed_sites: Guarded) -> None:
    told = {}
    for name in ("read", "admin", "admin of all", "environment read token"):
        headers = {"authorization": f"Bearer {keyed_sites.keys[name]}"}
        told[name] = keyed_sites.site.client.get("/api/analytics/client", headers=headers).json()
    assert {name: answer["write_key"] for name, answer in told.items()} == {
        "read": None, "admin": WRITE_KEY, "admin of all": WRITE_KEY, "environment read token": WRITE_KEY
    }  # fmt: skip
    headers = {"authorization": f"Bearer {keyed_sites.keys['admin of all']}"}
    of_blog = keyed_sites.site.client.get("/api/analytics/client?site=blog", headers=headers).json()
    assert of_blog == {"ok": True, "needs_write_key": True, "write_key": None, "origins": [ORIGIN]}


def test_refused_requests_are_counted_by_reason(keyed_sites: Guarded) -> None:
    client = keyed_sites.site.client
    client.get("/api/analytics/summary")
    keyed_sites.send(keyed_sites.keys["revoked"], an_event())
    keyed_sites.send(keyed_sites.keys["expired"], an_event())
    keyed_sites.send(keyed_sites.keys["read"], an_event())
    keyed_sites.send(keyed_sites.keys["write of another site"], an_event(), path="/e?site=default")
    text = client.get("/metrics", headers={"authorization": f"Bearer {keyed_sites.keys['admin of all']}"}).text
    counts = dict(re.findall(r'^hourledger_refused_requests_total\{reason="(\w+)"\} (\S+)$', text, re.MULTILINE))
    for reason in ("no_key", "revoked_key", "expired_key", "wrong_kind", "wrong_site"):
        assert float(counts[reason]) >= 1, text
