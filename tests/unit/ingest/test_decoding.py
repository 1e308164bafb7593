"""Single events: every rule of the contract, and the error when an event breaks it."""

import json
import re
import time
from typing import Any

import msgspec
import pytest

from service.errors import TooLarge
from service.ingest.decoding import decode_event
from service.ingest.event import MAX_EVENT_BYTES, Event
from service.ingest.refusals import EventError
from service.ingest.timestamps import parse_time

NAME_FIELDS = ("event_type", "event_id", "id", "tool_name", "action")
PERSON_FIELDS = ("session_id", "user_id")
REQUIRED = ("event_type", "session_id", "timestamp")
OPTIONAL = ("event_id", "id", "user_id", "tool_name", "action", "properties", "demo_mode", "type")


def sent(**fields: Any) -> bytes:
    event = {"event_type": "opened", "session_id": "s-1", "timestamp": "2025-10-18T01:00:00Z"} | fields
    return json.dumps(event).encode()


def with_properties(properties: bytes) -> bytes:
    return sent()[:-1] + b',"properties":' + properties + b"}"


def refused(body: bytes) -> EventError:
    with pytest.raises(EventError) as caught:
        decode_event(body)
    error = caught.value
    assert msgspec.json.decode(msgspec.json.encode([error.message, error.field])) == [error.message, error.field]
    assert error.message.isprintable()
    assert len(error.message) < 300
    return error


def test_all_fields_arrive() -> None:
    properties = '{"risk_mode": "bold",  "n": [1e2, -0, null], "n": "ü\\u00fc"}'
    body = (
        '{"type": "analytics_event", "event_id": "e-1", "session_id": "s-1", "user_id": "ü", "event_type": "opened",'
        ' "tool_name": "risk", "action": "run", "demo_mode": false, "timestamp": "2025-10-18T03:00:00.5+02:00",'
        f' "properties": {properties}}}'
    )
    moment = parse_time("2025-10-18T01:00:00.500Z")
    assert decode_event(body.encode()) == Event(
        "e-1", "s-1", "ü", "opened", "risk", "run", properties, demo_mode=False, timestamp=moment
    )


def test_columns_are_in_the_order_that_others_rely_on() -> None:
    assert Event._fields == (
        *("event_id", "session_id", "user_id", "event_type", "tool_name", "action"),
        *("properties", "demo_mode", "timestamp"),
    )


@pytest.mark.parametrize("field", OPTIONAL)
@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_empty_mean_absent(field: str, absent: str | None) -> None:
    event = decode_event(sent(**{field: absent}))
    assert event._replace(event_id="") == decode_event(sent())._replace(event_id="")
    assert event.demo_mode is True


@pytest.mark.parametrize("field", REQUIRED)
def test_a_required_field_is_required(field: str) -> None:
    absent = json.loads(sent())
    del absent[field]
    for body in (sent(**{field: None}), sent(**{field: ""}), json.dumps(absent).encode()):
        assert (refused(body).code, refused(body).field) == ("missing_field", field)
        assert field in refused(body).message


@pytest.mark.parametrize(
    ("fields", "limit"), [(NAME_FIELDS, 128), (PERSON_FIELDS, 256)], ids=["128 characters", "256 characters"]
)
def test_lengths_are_counted_in_characters(fields: tuple[str, ...], limit: int) -> None:
    for field in fields:
        for character in ("x", "ü", "😀"):
            decode_event(sent(**{field: character * limit}))
            error = refused(sent(**{field: character * (limit + 1)}))
            assert (error.code, error.field) == ("invalid_field", field)
            assert str(limit) in error.message


WRONG_KINDS = [
    (field, value)
    for field in (*REQUIRED, *OPTIONAL)
    for value in (0, 1.5, ["x"], {"x": 1}, "x" * 300, True)
    if not ((field == "demo_mode" and value is True) or (field == "properties" and value == {"x": 1}))
]


@pytest.mark.parametrize(("field", "value"), WRONG_KINDS)
def test_a_value_of_the_wrong_kind_names_its_field(field: str, value: object) -> None:
    error = refused(sent(**{field: value}))
    assert (error.code, error.field) == ("invalid_field", field)
    assert error.message.startswith(f"{field}: ")
    assert json.dumps(value).strip('"')[:20] in error.message


@pytest.mark.parametrize("name", ["sesion_id", "a\0b", "q` - at `$.session_id`", "x" * 1000, "line\nbreak", "ü"])
def test_an_unknown_field_is_refused_by_name(name: str) -> None:
    error = refused(sent(**{name: 1}))
    assert error.code == "unknown_field"
    assert error.field
    assert error.field[0] == name[0]
    assert error.field in error.message
    assert len(error.field) <= 70


def test_the_id_is_the_senders_by_either_name() -> None:
    assert decode_event(sent(id="a")).event_id == "a"
    assert decode_event(sent(event_id="b")).event_id == "b"
    assert decode_event(sent(id="c", event_id="c")).event_id == "c"
    assert decode_event(sent(id=None, event_id="d")).event_id == "d"
    assert refused(sent(id="a", event_id="b")).field == "event_id"


def test_an_id_that_is_not_sent_is_a_uuid_of_version_7() -> None:
    before = time.time_ns() // 1_000_000
    ids = [decode_event(sent()).event_id for _ in range(1000)]
    after = time.time_ns() // 1_000_000
    assert len(set(ids)) == len(ids)
    for made in ids:
        assert re.fullmatch(r"evt_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}", made)
        assert before <= int(made[4:16], 16) <= after


NO_OBJECTS = [b"", b" ", b"{", b"[]", b"[{}]", b"1", b"null", b'"{}"', b"\xff", sent() + b"x", sent() * 2]
BAD_NAMES = [rb'{"\ud800":1}', b'{"\xff":1}', rb'{"session_id":"s","\udc00":{}}', b"{1:2}"]


@pytest.mark.parametrize("body", NO_OBJECTS + BAD_NAMES)
def test_what_is_not_one_object_is_malformed(body: bytes) -> None:
    assert (refused(body).code, refused(body).field) == ("malformed", None)


def test_a_byte_order_mark_and_blanks_around_are_no_part_of_the_event() -> None:
    assert decode_event(b"\xef\xbb\xbf\r\n\t " + sent(id="a") + b" \n") == decode_event(sent(id="a"))


@pytest.mark.parametrize("field", ["event_type", "session_id", "event_id", "id", "user_id", "tool_name", "action"])
def test_text_that_postgresql_refuses_is_refused(field: str) -> None:
    assert (refused(sent(**{field: "a\0b"})).code, refused(sent(**{field: "a\0b"})).field) == ("invalid_field", field)
    decode_event(sent(**{field: "a\\u0000b"}))
    for bad in (rb"\ud800", rb"\udc00x", rb"\ude00\ud83d", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\0", b"\x1f"):
        error = refused(sent(**{field: "BAD"}).replace(b"BAD", bad))
        assert (error.code, error.field) == ("malformed", field)


@pytest.mark.parametrize(
    "bad",
    [
        *(b"{'a':1}", b'{"a":1', b'{"a":1,}', b'{"a":01}', b'{"a":1.}', b'{"a":.5}', b'{"a":NaN}', b'{"a":Infinity}'),
        *(b'{"a":"\xff"}', b'{"\xff":1}', b'{"a":"\xed\xa0\x80"}', rb'{"a":"\ud800"}', rb'{"\udc00":1}', b'{"a":"\0"}'),
        *(rb'{"a":"\x"}', rb'{"a":"\u12g4"}', b'{"a":"\n"}', b"{a:1}", b'{"a":tru}', b'{"a":1]'),
    ],
)
def test_properties_that_are_not_json_are_malformed(bad: bytes) -> None:
    assert refused(with_properties(bad)).code == "malformed"
    assert refused(with_properties(bad)).field in ("properties", None)


@pytest.mark.parametrize(
    "bad", [rb'{"a":"\u0000"}', rb'{"\u0000":1}', rb'{"a":["x\\\u0000"]}', b"[]", b'"x"', b"1", b"true"]
)
def test_properties_are_an_object_without_nul(bad: bytes) -> None:
    assert (refused(with_properties(bad)).code, refused(with_properties(bad)).field) == ("invalid_field", "properties")


def test_properties_are_kept_as_sent() -> None:
    escapes = (rb'{"a":"\\u0000"}', rb'{"a" :"\ud83d\ude00"}', rb'{"a":"[[[\"{{"}')
    for kept in (*escapes, b'{"a":1,"a":2}', b"{ }", b'{"":1E+02}'):
        assert decode_event(with_properties(b" " + kept + b" ")).properties == kept.decode()


def test_properties_have_16_kib_as_sent() -> None:
    fits = b'{"a":"' + "ü".encode() * 8188 + b'"}'
    assert len(fits) == 16_384
    decode_event(with_properties(fits))
    for too_large in (fits[:-2] + b'x"}', fits[:-1] + b" }"):
        error = refused(with_properties(too_large))
        assert (error.code, error.field) == ("too_large", "properties")


@pytest.mark.parametrize(("opening", "closing"), [(b'{"a":', b"}"), (b"[", b"]")])
def test_properties_nest_32_deep(opening: bytes, closing: bytes) -> None:
    def nested(depth: int) -> bytes:
        return b'{"a":' + opening * (depth - 1) + b"1" + closing * (depth - 1) + b"}"

    for depth in (1, 2, 31, 32):
        decode_event(with_properties(nested(depth)))
    for depth in (33, 34, 500, 2000):
        error = refused(with_properties(nested(depth)))
        assert (error.code, error.field) == ("invalid_field", "properties")
        assert "32" in error.message


def test_depth_far_beyond_the_interpreters_stack_is_refused() -> None:
    for depth in (5_000, 60_000):
        assert refused(with_properties(b'{"a":' + b"[" * depth)).field in ("properties", None)
    assert refused(sent(x=1).replace(b'"x": 1', b'"x": ' + b"[" * 30_000)).field == "x"


def test_width_is_not_depth() -> None:
    decode_event(with_properties(b'{"a":[[],[]],"b":' + b"[" * 31 + b"]" * 31 + b"}"))
    decode_event(with_properties(b'{"a":[' + b"[],{}," * 100 + b'"' + b"[{" * 100 + b'"]}'))


def test_a_time_that_cannot_be_is_refused_with_what_was_sent() -> None:
    for text in ("yesterday", "2025-02-30T00:00:00Z", "0001-01-01T00:00:00+00:01", "x" * 1000, "\0"):
        error = refused(sent(timestamp=text))
        assert (error.code, error.field) == ("invalid_field", "timestamp")
        assert repr(text[:20])[1:-1] in error.message


def test_an_event_has_64_kib() -> None:
    decode_event(sent().ljust(MAX_EVENT_BYTES))
    with pytest.raises(TooLarge):
        decode_event(sent().ljust(MAX_EVENT_BYTES + 1))
