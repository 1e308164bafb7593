"""Batches of events: the answer covers each event on its own."""

from __future__ import annotations

import gzip
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.http.support.site import Json, Site, an_event, now, refused, unique

BATCH = "/api/analytics/track/batch"
GOOD = b'{"event_type":"opened","session_id":"%b","timestamp":"%b","properties":{"a":[1]}}'
PADDED = b'{"a":"%b"}'
# Elements of a batch, each with the code and field of its refusal; None for elements that are valid events.
POISON: dict[str, tuple[bytes, tuple[str, str | None] | None]] = {
    "NUL": (GOOD.replace(b'"opened"', rb'"\u0000"'), ("invalid_field", "event_type")),
    "NUL in properties": (GOOD.replace(b"[1]", rb'"\u0000"'), ("invalid_field", "properties")),
    "a lone surrogate": (GOOD.replace(b'"opened"', rb'"\ud800"'), ("malformed", "event_type")),
    "a lone surrogate in properties": (GOOD.replace(b"[1]", rb'"\udfff"'), ("malformed", "properties")),
    "not UTF-8": (GOOD.replace(b'"opened"', b'"\xff"'), ("malformed", "event_type")),
    "not UTF-8 in properties": (GOOD.replace(b"[1]", b'"\xc3"'), ("malformed", "properties")),
    "33 deep": (GOOD.replace(b"[1]", b"[" * 32 + b"]" * 32), ("invalid_field", "properties")),
    "5,000 deep": (GOOD.replace(b"[1]", b"[" * 5000 + b"]" * 5000), ("invalid_field", "properties")),
    "1e400": (GOOD.replace(b"1]", b"1e400]"), ("invalid_field", "properties")),
    "100 digits": (GOOD.replace(b"1]", b"1" * 100 + b"]"), ("invalid_field", "properties")),
    "15 KB of 1e131071": (GOOD.replace(b"1]", b"1e131071," * 1700 + b"1]"), ("invalid_field", "properties")),
    "a prototype": (GOOD.replace(b'"a"', b'"__proto__"'), None),
    "an unknown field": (GOOD.replace(b'"properties"', b'"__proto__"'), ("unknown_field", "__proto__")),
    "16 KiB": (GOOD.replace(b'{"a":[1]}', PADDED % (b"x" * (16_384 - 8))), None),
    "16 KiB and a byte": (GOOD.replace(b'{"a":[1]}', PADDED % (b"x" * (16_384 - 7))), ("too_large", "properties")),
    "a risk mode of 12 KB": (
        GOOD.replace(b'"opened"', b'"risk_mode_changed"').replace(
            b'{"a":[1]}', b'{"risk_mode":"%b"}' % (b"x" * 12_288)
        ),
        None,
    ),
    "properties of 17 KB": (GOOD.replace(b"1]", b"1" + b",1" * 8500 + b"]"), ("too_large", "properties")),
    "a long name": (GOOD.replace(b"opened", b"x" * 129), ("invalid_field", "event_type")),
    "a number as a name": (GOOD.replace(b'"opened"', b"1"), ("invalid_field", "event_type")),
    "a field missing": (GOOD.replace(b'"event_type":"opened",', b""), ("missing_field", "event_type")),
    "no time": (GOOD.replace(b"%b", b"x").replace(b"%b", b"then"), ("invalid_field", "timestamp")),
    "a number": (b"1", ("malformed", None)),
    "null": (b"null", ("malformed", None)),
    "an array": (b"[]", ("malformed", None)),
    "an empty object": (b"{}", ("missing_field", "event_type")),
    "words": (b"nonsense", ("malformed", None)),
}


def answer_of(answer: httpx.Response, status: int = 200) -> Json:
    """Check that the counts of an answer agree with its errors; return the answer."""
    assert answer.status_code == status, answer.text
    body = dict(answer.json())
    assert list(body) == ["ok", "count", "stored", "duplicates", "rejected", "event_ids", "errors"]
    assert body["count"] == body["stored"] + body["duplicates"] + body["rejected"] == len(body["event_ids"])
    assert body["rejected"] == len(body["errors"])
    assert [index for index, known in enumerate(body["event_ids"]) if known is None] == [
        error["index"] for error in body["errors"]
    ]
    return body


def as_array(events: list[Json]) -> dict[str, Any]:
    return {"json": events}


def as_object(events: list[Json]) -> dict[str, Any]:
    return {"json": {"events": events}}


def as_lines(events: list[Json]) -> dict[str, Any]:
    lines = "\r\n\n".join(json.dumps(event) for event in events)
    return {"content": lines, "headers": {"content-type": "application/x-ndjson; charset=utf-8"}}


def as_gzip(events: list[Json]) -> dict[str, Any]:
    return {"content": gzip.compress(json.dumps(events).encode()), "headers": {"content-encoding": "gzip"}}


@pytest.mark.parametrize("form", [as_array, as_object, as_lines, as_gzip])
@pytest.mark.parametrize("path", [BATCH, "/e/batch"])
def test_a_batch_answers_for_each_of_its_events(client: httpx.Client, form: Any, path: str) -> None:
    new, old = an_event(event_id=unique("e")), an_event(event_id=unique("e"))
    client.post("/e", json=old)
    bad = an_event(sessionId="s")
    body = answer_of(client.post(path, **form([new, old, bad])))
    message = body["errors"][0]["message"]
    assert "sessionId" in message
    assert body == {
        "ok": True,
        "count": 3,
        "stored": 1,
        "duplicates": 1,
        "rejected": 1,
        "event_ids": [new["event_id"], old["event_id"], None],
        "errors": [{"index": 2, "code": "unknown_field", "message": message, "field": "sessionId"}],
    }


@pytest.mark.parametrize("lines", [False, True], ids=["array", "lines"])
def test_poison_among_a_thousand_events_costs_only_itself(site: Site, lines: bool) -> None:
    session, moment = unique("s"), now().isoformat()
    good = GOOD % (session.encode(), moment.encode())
    elements = [good] * 1000
    expected: list[tuple[int, str, str | None]] = []
    for place, (poison, refusal) in enumerate(POISON.values()):
        index = 7 + 37 * place
        elements[index] = poison % (session.encode(), moment.encode()) if poison.count(b"%b") == 2 else poison
        if refusal is not None:
            expected.append((index, *refusal))
    headers = {"content-type": "application/x-ndjson"} if lines else {}
    sent = b"\n".join(elements) if lines else b"[" + b",".join(elements) + b"]"
    body = answer_of(site.client.post("/e/batch", content=sent, headers=headers))
    assert [(error["index"], error["code"], error.get("field")) for error in body["errors"]] == expected
    assert body["stored"] == 1000 - len(expected)
    assert site.get("/api/analytics/track", session_id=session)["total_in_range"] == body["stored"]


@pytest.mark.parametrize("name", POISON)
def test_poison_alone_is_refused_alone(client: httpx.Client, name: str) -> None:
    poison, refusal = POISON[name]
    element = poison % (b"s", now().isoformat().encode()) if poison.count(b"%b") == 2 else poison
    body = answer_of(client.post("/e/batch", content=b"[" + element + b"]"))
    assert body["rejected"] == (refusal is not None)


def test_what_the_clock_or_the_log_refuses_is_told_by_its_place(client: httpx.Client) -> None:
    known = an_event(event_id=unique("e"))
    client.post("/e", json=known)
    events = [
        an_event(at=now() - timedelta(days=40)),
        an_event(),
        an_event(at=now() + timedelta(days=2)),
        known | {"session_id": "s-2"},
        an_event(id="x", event_id="y"),
        known,
    ]
    body = answer_of(client.post("/e/batch", json=events))
    assert [(error["index"], error["code"], error["field"]) for error in body["errors"]] == [
        (0, "expired", "timestamp"),
        (2, "future", "timestamp"),
        (3, "id_reused", "event_id"),
        (4, "invalid_field", "event_id"),
    ]
    assert (body["ok"], body["stored"], body["duplicates"]) == (True, 1, 1)


def test_one_event_twice_in_a_batch_is_stored_once(site: Site) -> None:
    event = an_event(event_id=unique("e"), session_id=unique("s"))
    body = site.send(event, an_event(), event, event | {"session_id": unique("other")})
    assert (body["stored"], body["duplicates"], body["rejected"]) == (2, 1, 1)
    assert body["event_ids"][0] == body["event_ids"][2] == event["event_id"]
    assert body["errors"][0]["code"] == "id_reused"
    assert len(site.listed(session_id=event["session_id"])) == 1


def test_a_batch_sent_again_stores_nothing(site: Site) -> None:
    session = unique("s")
    events = [an_event(event_id=unique("e"), session_id=session) for _ in range(1200)]
    first = site.send(*events)
    assert (first["stored"], first["duplicates"]) == (1200, 0)
    again = site.send(*events[:600], *(an_event(session_id=session) for _ in range(5)), *events[600:])
    assert (again["stored"], again["duplicates"]) == (5, 1200)
    assert again["event_ids"][:600] == first["event_ids"][:600]
    assert site.get("/api/analytics/track", session_id=session)["total_in_range"] == 1205


def test_each_event_without_an_id_gets_its_own(site: Site) -> None:
    event = an_event(session_id=unique("s"))
    body = site.send(event, event, event)
    assert body["stored"] == 3
    assert sorted(body["event_ids"]) == sorted(
        listed["event_id"] for listed in site.listed(session_id=event["session_id"])
    )


@pytest.mark.parametrize(
    "sent",
    [{"json": []}, {"json": {"events": []}}, {"content": b"\n", "headers": {"content-type": "application/x-ndjson"}}],
    ids=["array", "object", "lines"],
)
def test_an_empty_batch_is_answered(client: httpx.Client, sent: dict[str, Any]) -> None:
    body = answer_of(client.post("/e/batch", **sent))
    assert (body["ok"], body["count"]) == (True, 0)


def test_a_batch_has_at_most_ten_thousand_events(site: Site) -> None:
    session = unique("s")
    event = json.dumps(an_event(session_id=session)).encode()
    for lines in (False, True):
        headers = {"content-type": "application/x-ndjson"} if lines else {}
        most = [event] * 10_000
        sent = b"\n".join(most) if lines else b"[" + b",".join(most) + b"]"
        assert answer_of(site.client.post("/e/batch", content=sent, headers=headers))["stored"] == 10_000
        beyond = sent + b"\n" + event if lines else sent[:-1] + b"," + event + b"]"
        refused(site.client.post("/e/batch", content=beyond, headers=headers), 413, "too_large")
        # Elements that are not even events count toward the limit.
        nothing = b"\n".join([b"0"] * 10_001) if lines else b"[" + b",".join([b"0"] * 10_001) + b"]"
        refused(site.client.post("/e/batch", content=nothing, headers=headers), 413, "too_large")
    assert site.get("/api/analytics/track", session_id=session, limit=1)["total_in_range"] == 20_000


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "malformed", None),
        (b"1", "malformed", None),
        (b'"x"', "malformed", None),
        (b"[", "malformed", None),
        (b"[{}", "malformed", None),
        (b"{}", "missing_field", "events"),
        (b'{"events": 1}', "malformed", None),
        (b'{"Events": []}', "unknown_field", "Events"),
        (b'{"events": [], "more": 1}', "unknown_field", "more"),
        (b"[]\n[]", "malformed", None),
    ],
)
def test_what_is_no_batch_is_refused_whole(client: httpx.Client, body: bytes, code: str, field: str | None) -> None:
    refused(client.post("/e/batch", content=body), 400, code, field)


def test_lines_need_their_content_type(site: Site) -> None:
    session = unique("s")
    line = json.dumps(an_event(session_id=session)).encode()
    refused(site.client.post("/e/batch", content=line + b"\n" + line), 400, "unknown_field", "event_type")
    headers = {"content-type": "Application/X-NDJSON"}
    body = answer_of(site.client.post("/e/batch", content=line + b"\n" + line, headers=headers))
    assert body["stored"] == 2


def test_a_single_event_is_no_batch_and_a_batch_no_single_event(client: httpx.Client) -> None:
    refused(client.post("/e/batch", json=an_event()), 400, "unknown_field", "event_type")
    refused(client.post("/e", json=[an_event()]), 400, "malformed")
