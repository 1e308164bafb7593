"""Batches: an error names the index of the bad event, and its neighbours are still accepted."""

import pytest

from service.errors import TooLarge
from service.ingest.batch_decoding import RUN_BYTES, decode_batch, decode_lines
from service.ingest.event import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, Event
from service.ingest.refusals import EventError

GOOD = b'{"event_type":"a","session_id":"s","timestamp":"2025-10-18T01:00:00Z","event_id":"e","properties":{"a":[1]}}'
POISON = {
    "no object": b"1",
    "an empty element": b"",
    "a field missing": b'{"event_type":"a"}',
    "an unknown field": GOOD[:-1] + b',"x":[{}]}',
    "not JSON": b'{"event_type":nonsense}',
    "two without a comma": GOOD + GOOD,
    "crossed brackets": b'{"a":[1}]',
    "a lone surrogate": GOOD.replace(b'"a"', rb'"\ud800"', 1),
    "not UTF-8": GOOD.replace(b'"a"', b'"\xff"', 1),
    "not UTF-8 in properties": GOOD.replace(b"[1]", b'"\xff"'),
    "NUL": GOOD.replace(b'"a"', rb'"\u0000"', 1),
    "5,000 deep": GOOD.replace(b"[1]", b"[" * 5000 + b"]" * 5000),
    "a string full of brackets": b'["]}\\"],{["]',
    "no time": GOOD.replace(b"2025", b"then"),
    "an array": b"[]",
}


def judged(found: list[Event | EventError]) -> list[bool]:
    return [isinstance(each, Event) for each in found]


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
def test_poison_costs_no_neighbour(poison: bytes) -> None:
    elements = [GOOD, poison, GOOD.replace(b"}}", b'},"action":"\\"],["}'), poison, GOOD]
    array = b" [ " + b" ,\n".join(elements) + b" ] "
    places = [True, False, True, False, True]
    assert judged(decode_batch(array)) == places
    assert judged(decode_batch(b'\xef\xbb\xbf{ "events" : ' + array + b"}")) == places
    if poison:
        assert judged(decode_lines(b"\xef\xbb\xbf" + b"\r\n\n \n".join(elements))) == places
        assert judged(decode_lines(b"\n".join(elements) + b"\n")) == places


def test_a_batch_without_poison_is_the_same_however_it_is_sent() -> None:
    events = decode_batch(b"[" + GOOD + b"," + GOOD + b"]")
    assert events == decode_batch(b'\xef\xbb\xbf {"events":[' + GOOD + b"," + GOOD + b"]} ")
    assert events == decode_lines(GOOD + b"\n" + GOOD)
    assert judged(events) == [True, True]


def test_nothing_after_a_comma_is_an_event_that_is_not_json() -> None:
    assert judged(decode_batch(b"[" + GOOD + b", ]")) == [True, False]
    assert judged(decode_batch(b"[," + GOOD + b"]")) == [False, True]


def test_nothing_is_no_event() -> None:
    for body in (b"[]", b" [ ] ", b'{"events":[]}', b'{"events": [ ] }'):
        assert decode_batch(body) == []
    for body in (b"", b"\n\r\n \t\n"):
        assert decode_lines(body) == []


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        (b"", "malformed", None),
        (b"1", "malformed", None),
        (GOOD, "unknown_field", "event_type"),
        (b"[" + GOOD, "malformed", None),
        (b"[" + GOOD + b",", "malformed", None),
        (b"[" + GOOD + b"}", "malformed", None),
        (b"[" + GOOD + b"]]", "malformed", None),
        (b"[" + GOOD + b"] x", "malformed", None),
        (b'["' + GOOD + b"]", "malformed", None),
        (b"[" * 5000, "malformed", None),
        (b"{}", "missing_field", "events"),
        (b'{"events":null}', "malformed", None),
        (b'{"events":{}}', "malformed", None),
        (b'{"events":[' + GOOD + b"]", "malformed", None),
        (b'{"events":[' + GOOD + b']},"x"', "malformed", None),
        (b'{"events":[' + GOOD + b'],"sent_at":1}', "unknown_field", "sent_at"),
        (b'{"sent_at":"]","events":[1]}', "unknown_field", "sent_at"),
        (b'{"events":[1],"a\\u0000b":1}', "unknown_field", r"a\x00b"),
        (b'{"events":[1], 5}', "malformed", None),
        (b'{"\xff":[]}', "unknown_field", r"\xff"),
        (b'{"events":[' + GOOD + b'],"events":[' + GOOD + b"]}", "malformed", "events"),
        (b'{"events":[' + GOOD + b'],"\\u0065vents":[]}', "malformed", "events"),
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole(body: bytes, code: str, field: str | None) -> None:
    with pytest.raises(EventError) as caught:
        decode_batch(body)
    assert (caught.value.code, caught.value.field) == (code, field)


@pytest.mark.parametrize("element", [b"1", b"{}", GOOD])
def test_a_batch_has_10_000_events(element: bytes) -> None:
    fits, too_many = [element] * MAX_BATCH_EVENTS, [element] * (MAX_BATCH_EVENTS + 1)
    assert len(decode_batch(b"[" + b",".join(fits) + b"]")) == MAX_BATCH_EVENTS
    assert len(decode_lines(b"\n".join(fits) + b"\n\n")) == MAX_BATCH_EVENTS
    for body in (b"[" + b",".join(too_many) + b"]", b'{"events":[' + b",".join(too_many) + b"]}"):
        with pytest.raises(TooLarge):
            decode_batch(body)
    with pytest.raises(TooLarge):
        decode_lines(b"\n".join(too_many))


def test_a_batch_has_8_mib() -> None:
    assert decode_batch(b"[]".ljust(MAX_BATCH_BYTES)) == []
    assert decode_lines(b"".ljust(MAX_BATCH_BYTES)) == []
    for decode in (decode_batch, decode_lines):
        with pytest.raises(TooLarge):
            decode(b"[]".ljust(MAX_BATCH_BYTES + 1))


def test_an_error_names_the_field_of_the_event() -> None:
    found = decode_batch(b"[" + GOOD + b',{"session_id":"s"},' + GOOD.replace(b'"s"', b"7") + b"]")
    assert [each.field for each in found if isinstance(each, EventError)] == ["event_type", "session_id"]


def test_a_large_event_is_refused_alone() -> None:
    large = GOOD[:-1] + b" " * MAX_EVENT_BYTES + b"}"
    refused = decode_batch(b"[" + GOOD + b"," + large + b"," + GOOD.replace(b'"a"', b"1", 1) + b"]")
    assert judged(refused) == [True, False, False]
    assert isinstance(refused[1], EventError)
    assert (refused[1].code, refused[1].field) == ("too_large", None)


@pytest.mark.parametrize(
    "repeated", [b',"session_id":"t"}', b',"user_id":"u","user_id":null}', b',"type":"","type":""}']
)
def test_a_field_that_is_given_twice_is_refused_by_its_name(repeated: bytes) -> None:
    twice = GOOD[:-1] + repeated
    name = repeated.split(b'"')[1].decode()
    for found in (decode_batch(b"[" + GOOD + b"," + twice + b"]"), decode_lines(GOOD + b"\n" + twice)):
        assert judged(found) == [True, False]
        assert isinstance(found[1], EventError)
        assert (found[1].code, found[1].field, found[1].message) == ("malformed", name, f"{name} is given twice")


def test_names_of_fields_may_be_anywhere_else() -> None:
    named = (
        b'{"event_type":"session_id","session_id":"id","timestamp":"2025-10-18T01:00:00Z","properties":{"id":{"id":1}}}'
    )
    assert judged(decode_batch(b"[" + named + b"," + named + b"]")) == [True, True]


@pytest.mark.parametrize("separator", [b",", b" ,\n "])
@pytest.mark.parametrize("bad", [None, 0, 5_000, 9_999])
def test_a_large_batch_is_judged_as_its_events_are(separator: bytes, bad: int | None) -> None:
    events = [
        GOOD.replace(b'"e"', b'"e%d"' % number).replace(b"[1]", b'[{},{"event_type":1}]') for number in range(10_000)
    ]
    if bad is not None:
        events[bad] = b'"' + events[bad].replace(b'"', b'\\"') + b'"'
    array = b"[" + separator.join(events) + b"]"
    assert len(array) > 4 * RUN_BYTES
    for body in (array, b'{"events": ' + array + b"}"):
        found = decode_batch(body)
        assert [each.event_id for each in found if isinstance(each, Event)] == [
            f"e{number}" for number in range(10_000) if number != bad
        ]
        assert len(found) == 10_000
