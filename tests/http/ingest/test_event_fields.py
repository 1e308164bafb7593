"""Every rule of an event's fields and properties: what is stored, and what is refused by name."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import httpx
import pytest

from tests.conftest import RETENTION_DAYS
from tests.http.support.paths import TRACK
from tests.http.support.site import Json, Site, an_event, now, refused, unique

SHORT_TEXTS = ("event_id", "id", "tool_name", "action")


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        ("2025-10-18T01:02:03Z", "2025-10-18T01:02:03.000Z"),
        ("2025-10-18T01:02:03.4567899Z", "2025-10-18T01:02:03.456789Z"),
        ("2025-10-18T01:02:03.120", "2025-10-18T01:02:03.120Z"),
        ("2025-10-18T03:02:03.000001+02:00", "2025-10-18T01:02:03.000001Z"),
    ],
)
def test_times_are_listed_in_utc_to_the_microsecond(site: Site, sent: str, listed: str) -> None:
    yesterday = f"{now() - timedelta(days=1):%Y-%m-%d}"
    session = unique("s")
    site.send(an_event(session_id=session) | {"timestamp": sent.replace("2025-10-18", yesterday)})
    (event,) = site.listed(session_id=session, hours=72)
    assert event["timestamp"] == listed.replace("2025-10-18", yesterday)


@pytest.mark.parametrize("name", ["event_type", "session_id", "timestamp"])
def test_a_required_field_is_asked_for_by_name(client: httpx.Client, name: str) -> None:
    absent = an_event()
    del absent[name]
    for event in (absent, an_event() | {name: None}, an_event() | {name: ""}):
        refused(client.post("/e", json=event), 400, "missing_field", name)


@pytest.mark.parametrize(
    ("names", "most"), [(("event_type", *SHORT_TEXTS), 128), (("session_id", "user_id"), 256)], ids=["128", "256"]
)
def test_texts_have_a_longest_length_in_characters(client: httpx.Client, names: tuple[str, ...], most: int) -> None:
    for name in names:
        fits = "😀" * (most - 32) + unique("")[-32:]
        assert client.post("/e", json=an_event() | {name: fits}).status_code == 200
        refused(client.post("/e", json=an_event() | {name: fits + "x"}), 400, "invalid_field", name)


@pytest.mark.parametrize("name", ["event_type", "session_id", "timestamp", *SHORT_TEXTS, "user_id", "demo_mode"])
@pytest.mark.parametrize("value", [1, [], {}], ids=repr)
def test_a_value_of_another_type_is_refused_by_name(client: httpx.Client, name: str, value: object) -> None:
    refused(client.post("/e", json=an_event() | {name: value}), 400, "invalid_field", name)


@pytest.mark.parametrize("name", ["sessionId", "Timestamp", "property", "received_at", "__proto__", "evènt"])
def test_an_unknown_field_is_refused_by_name(client: httpx.Client, name: str) -> None:
    message = refused(client.post("/e", json=an_event() | {name: "x"}), 400, "unknown_field", name)
    assert name in message


def test_the_type_that_older_clients_send_is_taken_and_dropped(site: Site) -> None:
    session = unique("s")
    site.send(an_event(session_id=session, type="analytics_event"))
    (listed,) = site.listed(session_id=session)
    assert "type" not in listed
    message = refused(site.client.post("/e", json=an_event(type="other")), 400, "invalid_field", "type")
    assert message.endswith('got "other"; did you mean event_type?')


@pytest.mark.parametrize("text", ["yesterday", "2025-13-01T00:00:00Z", "1760749200", "2025-10-18T25:00Z", "0001-01-01"])
def test_what_is_no_time_is_refused(client: httpx.Client, text: str) -> None:
    answer = client.post("/e", json=an_event() | {"timestamp": text})
    if text == "0001-01-01":
        refused(answer, 422, "expired", "timestamp")
    else:
        refused(answer, 400, "invalid_field", "timestamp")


def horizon(site: Site) -> datetime:
    """Return the start of the oldest day that accepts events, by the database's clock."""
    ((day,),) = site.rows(
        "select date_trunc('day', clock_timestamp(), 'UTC') - make_interval(days => $1)", RETENTION_DAYS
    )
    assert isinstance(day, datetime)
    return day


def test_the_horizon_is_the_start_of_a_day(site: Site) -> None:
    oldest = horizon(site)
    answers = [site.client.post("/e", json=an_event(at=oldest + timedelta(microseconds=offset))) for offset in (0, -1)]
    if horizon(site) == oldest:  # otherwise a new day has just begun
        assert answers[0].status_code == 200
        refused(answers[1], 422, "expired", "timestamp")


def test_events_may_be_a_day_ahead(client: httpx.Client) -> None:
    tomorrow = now() + timedelta(hours=24)
    assert client.post("/e", json=an_event(at=tomorrow - timedelta(minutes=1))).status_code == 200
    refused(client.post("/e", json=an_event(at=tomorrow + timedelta(minutes=5))), 422, "future", "timestamp")
    refused(client.post("/e", json=an_event() | {"timestamp": "9999-12-31T23:59:59Z"}), 422, "future", "timestamp")


def with_properties(properties: str) -> bytes:
    return json.dumps(an_event()).encode()[:-1] + b',"properties":' + properties.encode() + b"}"


@pytest.mark.parametrize(
    "properties",
    [
        '{"a": "%s"}' % ("x" * (16_384 - 9)),
        '{"a":' + "[" * 31 + "]" * 31 + "}",
        '{"a": 1e308, "b": -1.7976931348623157e308, "c": 5e-324, "d": -0, "e": 1E+2}',
        '{"a": %s}' % ("9" * 64),
        '{"a": "%s", "b": "\\ud83d\\ude00"}' % ("9" * 1000 + "[{" * 1000),
        "{}",
    ],
    ids=["16 KiB", "32 deep", "doubles", "64 digits", "only a text", "empty"],
)
def test_properties_within_the_limits_come_back_as_they_were(site: Site, properties: str) -> None:
    session = unique("s")
    body = with_properties(properties).replace(b'"s-1"', json.dumps(session).encode())
    assert site.client.post("/e", content=body).status_code == 200
    answer = site.client.get(TRACK, params={"session_id": session})
    # 1e308 comes back with all its digits: the same number, but another text.
    (listed,) = json.loads(answer.text, parse_int=float)["events"]
    assert listed["properties"] == json.loads(properties, parse_int=float)


@pytest.mark.parametrize(
    "properties",
    [
        '{"a": "%s"}' % ("x" * (16_385 - 9)),
        '{"a":' + "[" * 32 + "]" * 32 + "}",
        '{"a":' + "[" * 5000 + "]" * 5000 + "}",
        '{"a": 1e400}',
        '{"a": -1e309}',
        '{"a": %s}' % ("9" * 65),
        '{"a": %s}' % ("1" * 100),
        '{"a": 0.%s}' % ("0" * 100),
        '{"a": [%s]}' % ("1e131071," * 1700 + "1"),
        '{"a": 1e-16383}',
        '{"a": "\\u0000"}',
        '{"\\u0000": 1}',
        "[]",
        '"text"',
        "1",
    ],
    ids=lambda text: str(text)[:20],
)
def test_properties_beyond_the_limits_are_refused(client: httpx.Client, properties: str) -> None:
    answer = client.post("/e", content=with_properties(properties))
    refused(answer, 400, "too_large" if len(properties) == 16_385 else "invalid_field", "properties")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (b'"opened"', rb'"\u0000"', "event_type"),
        (b'"opened"', rb'"\ud800"', "event_type"),
        (b'"opened"', rb'"\udc00\ud800"', "event_type"),
        (b'"opened"', b'"\xff"', "event_type"),
        (b'"opened"', b'"\xed\xa0\x80"', "event_type"),
        (b'"s-1"', b'"\0"', "session_id"),
        (b'"s-1"', rb'"s", "properties": {"a": "\ud800"}', "properties"),
        (b'"s-1"', b'"s", "properties": {"a": "\xff"}', "properties"),
        (b'"s-1"', b'"s", "properties": {"a": NaN}', "properties"),
        (b'"s-1"', b'"s", "properties": {"a": Infinity}', "properties"),
    ],
)
def test_what_no_text_may_hold_is_refused_by_name(client: httpx.Client, old: bytes, new: bytes, field: str) -> None:
    answer = client.post("/e", content=json.dumps(an_event()).encode().replace(old, new))
    code = "invalid_field" if new == rb'"\u0000"' else "malformed"
    refused(answer, 400, code, field)


@pytest.mark.parametrize("body", [b"", b" ", b"{", b"nonsense", b"\xff\xfe{}", b'{"event_type"', b"\x00"])
def test_what_is_no_json_is_refused(client: httpx.Client, body: bytes) -> None:
    refused(client.post("/e", content=body), 400, "malformed")


@pytest.mark.parametrize("body", [[], [{}], "event", 1, None, True], ids=repr)
def test_what_is_no_object_is_refused(client: httpx.Client, body: Json) -> None:
    refused(client.post("/e", json=body), 400, "malformed")
