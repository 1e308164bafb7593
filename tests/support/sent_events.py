"""Strategies for valid and invalid events as bytes that a sender may send."""

import json

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from service.ingest.decoding import decode_event
from service.ingest.event import Event
from service.ingest.refusals import EventError

MOMENT = "2025-10-18T01:00:00.000001Z"
LIMITS = {"event_type": 128, "session_id": 256, "event_id": 128, "user_id": 256, "tool_name": 128, "action": 128}
characters = st.characters(codec="utf-8")
texts = st.text(characters, max_size=8) | st.sampled_from(["", "\0", "\\u0000", "a\0", '"', "[{", "\\", "\ud800", "😀"])
near_limits = st.builds(lambda text, times: text * times, characters, st.sampled_from([127, 128, 129, 256, 257]))
numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
deep = st.integers(28, 36).map(lambda depth: json.loads('{"a":' + "[" * (depth - 1) + "]" * (depth - 1) + "}"))
objects = (
    st.dictionaries(texts, values, max_size=4) | deep | st.just({"a": "x" * 16_377}) | st.just({"a": "x" * 16_376})
)
fields = {name: st.none() | texts | near_limits | numbers for name in LIMITS} | {
    "properties": objects | values,
    "demo_mode": st.booleans() | st.sampled_from([None, "", 0, "true"]),
    "type": st.sampled_from(["analytics_event", "other", None, ""]),
    "timestamp": st.sampled_from([MOMENT] * 8 + ["", None, "x", 1]),
    "extra": st.none(),
}
good = {"event_type": "a", "session_id": "s", "timestamp": MOMENT, "event_id": "e"}
# Change at most three fields, so that some events stay valid.
changes = st.lists(st.sampled_from(sorted(fields)), unique=True, max_size=3).flatmap(
    lambda names: st.fixed_dictionaries({name: fields[name] for name in names})
)
events = changes.map(lambda changed: good | changed)
sent_events = st.builds(
    lambda event, ascii_only, indent: json.dumps(event, ensure_ascii=ascii_only, indent=indent, separators=(",", ":")),
    *(events, st.booleans(), st.sampled_from([None, 1])),
).map(lambda text: text.encode(errors="surrogatepass"))

# All examples of a test share a database fixture, and the first example waits for it.
PATIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


def examples(count: int) -> settings:
    """Return settings for a test whose first example may be slow, because hypothesis then builds its Unicode tables."""
    return settings(max_examples=count, deadline=None, suppress_health_check=PATIENT)


def with_properties(properties: bytes) -> bytes:
    return json.dumps(good).encode()[:-1] + b',"properties":' + properties + b"}"


def tried(body: bytes) -> Event | EventError:
    """Return the decoded event, or the error that decoding raises."""
    try:
        return decode_event(body)
    except EventError as error:
        return error
