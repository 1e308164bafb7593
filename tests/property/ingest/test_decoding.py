"""Events compared with the contract's rules, and batches compared with their events one by one."""

import json
import math
from datetime import datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.ingest.batch_decoding import decode_batch, decode_lines
from service.ingest.event import Event
from service.ingest.json_elements import split_object
from service.ingest.refusals import EventError
from tests.support.sent_events import LIMITS, MOMENT, events, examples, sent_events, tried

REQUIRED = ("event_type", "session_id", "timestamp")
POISON = [
    *(b"1", b"{}", b"[]", b'"]"', b"nul", b'{"a":}', b"\xff", b'"\xff"', rb'"\ud800"', rb'"\\\"],["', b'{"a":[1}]'),
    *(b"[" * 5000 + b"]" * 5000, b'{"event_type":"a","properties":' + b"[" * 3000 + b"]" * 3000 + b"}"),
]


@given(events, st.booleans(), st.sampled_from([None, 1]))
@examples(300)
def test_an_event_is_what_the_contract_says(event: dict[str, Any], ascii_only: bool, indent: int | None) -> None:
    body = json.dumps(event, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass")
    blamed = to_blame(event, body)
    found = tried(body)
    if isinstance(found, EventError):
        assert found.field in blamed
        assert found.message.isprintable()
    else:
        assert not blamed
        assert arrived(found, event)


@given(st.lists(sent_events | st.sampled_from(POISON), max_size=8), st.sampled_from([b"", b" ", b"\n\t\r"]))
@examples(150)
def test_each_of_a_batch_is_judged_as_if_alone(elements: list[bytes], blank: bytes) -> None:
    alone = [told(tried(element)) for element in elements]
    array = b"[" + blank + (blank + b"," + blank).join(elements) + blank + b"]"
    assert [told(each) for each in decode_batch(array)] == alone
    assert [told(each) for each in decode_batch(b'{"events":' + array + b"}")] == alone
    lines = [element for element in elements if b"\n" not in element]
    assert [told(each) for each in decode_lines(b"\n".join(lines))] == [told(tried(line)) for line in lines]


def told(each: Event | EventError) -> object:
    if isinstance(each, EventError):
        return each.code, each.field, each.message
    return each._replace(event_id="made") if each.event_id.startswith("evt_") else each


def arrived(found: Event, event: dict[str, Any]) -> bool:
    properties = event.get("properties")
    return found == Event(
        event.get("event_id") or found.event_id,
        event["session_id"],
        event.get("user_id") or None,
        event["event_type"],
        event.get("tool_name") or None,
        event.get("action") or None,
        found.properties,
        event.get("demo_mode") is not False,
        datetime.fromisoformat(MOMENT),
    ) and (found.properties is None if properties in (None, "") else json.loads(found.properties or "") == properties)


def storable(value: object) -> bool:
    match value:
        case str():
            return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
        case float():
            return math.isfinite(value)
        case int() if not isinstance(value, bool):
            return len(str(value)) <= 64
        case list():
            return all(map(storable, value))
        case dict():
            return all(map(storable, [*value.keys(), *value.values()]))
    return True


def depth(value: object) -> int:
    match value:
        case list():
            return 1 + max(map(depth, value), default=0)
        case dict():
            return 1 + max(map(depth, value.values()), default=0)
    return 0


def to_blame(event: dict[str, Any], body: bytes) -> set[str]:
    """Return the fields that break a rule of the contract."""
    blamed = {name for name, limit in LIMITS.items() if not text_fits(event.get(name), limit)}
    blamed |= {name for name in REQUIRED if event.get(name) in ("", None)} | ({"extra"} & event.keys())
    properties = event.get("properties")
    if properties not in (None, "") and not properties_fit(properties, body):
        blamed.add("properties")
    if event.get("demo_mode") not in (None, "") and not isinstance(event["demo_mode"], bool):
        blamed.add("demo_mode")
    if event.get("type") not in (None, "", "analytics_event"):
        blamed.add("type")
    return blamed | ({"timestamp"} if event.get("timestamp") != MOMENT else set())


def text_fits(value: object, limit: int) -> bool:
    return value is None or (isinstance(value, str) and len(value) <= limit and storable(value))


def properties_fit(value: object, body: bytes) -> bool:
    size = len(dict(split_object(body))[b'"properties"'])
    return isinstance(value, dict) and size <= 16_384 and depth(value) <= 32 and storable(value)
