"""Properties, their types and their values equal a brute-force count; each path can be used in a condition."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import service.reports.properties
from service.ingest.event import Event
from service.questions.condition_grammar import parse_conditions, path_text, property_path
from service.questions.conditions import Condition
from tests.support.histories import History, history
from tests.support.log import an_event
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import PLACES, START
from tests.support.sent_events import examples

HOURS = 3
UNTIL = START + HOURS * HOUR
SCOPE = f"from={START:%Y-%m-%dT%H:00Z}&to={UNTIL:%Y-%m-%dT%H:00Z}"
NAMES = ("plan", "page", "a b", "a.b", "", '"', "\\", "ü-1", "and", "\n", "$x", "😀")
LONG = ("x" * 256, "x" * 257, "😀" * 256, "😀" * 257)
TYPES = {
    str: "string",
    int: "number",
    float: "number",
    bool: "boolean",
    dict: "object",
    list: "array",
    type(None): "null",
}

scalars = st.sampled_from([*LONG, "pro", "free", "", "1", 1, 1.0, 2.5, 10**300, True, False, None])
objects = st.recursive(
    st.dictionaries(st.sampled_from(NAMES), scalars | st.just([1, {"plan": 1}]), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from(NAMES), scalars | inner, max_size=3),
    max_leaves=8,
)
sent = st.builds(
    lambda number, quarter, place, session, kind, properties: an_event(
        number,
        at=START + quarter * QUARTER + place,
        session=session,
        kind=kind,
        properties=None if properties is None else json.dumps(properties),
    ),
    *(st.integers(0, 60), st.integers(-4, HOURS * 4 + 3), st.sampled_from(PLACES), st.sampled_from("abcd")),
    *(st.sampled_from(["opened", "closed"]), st.none() | objects),
)
Path = tuple[str, ...]


def found_in(properties: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Give every path of an object, and its value."""
    for name, value in properties.items():
        yield (*path, name), value
        if isinstance(value, dict):
            yield from found_in(value, (*path, name))


def counted(events: list[Event]) -> dict[Path, tuple[Counter[str], Counter[tuple[str, object]]]]:
    """Return for each path the events by type, and the events by value for values that an answer can name."""
    found: dict[Path, tuple[Counter[str], Counter[tuple[str, object]]]] = {}
    for event in events:
        for path, value in found_in(json.loads(event.properties or "{}")):
            types, values = found.setdefault(path, (Counter(), Counter()))
            kind = TYPES[type(value)]
            types[kind] += 1
            if kind in ("string", "number", "boolean") and len(str(value)) <= 256:
                values[kind, value] += 1
    return found


def check(
    shown: dict[str, Any], path: Path, types: Counter[str], values: Counter[tuple[str, object]], limit: int
) -> None:
    """Check one property of an answer."""
    named = shown.pop("values")
    assert shown == {
        "property": path_text(path),
        "events": types.total(),
        "types": {name: types[name] for name in ("string", "number", "boolean", "object", "array", "null")},
        "distinct": len(values),
        "other": sum(types[name] for name in ("string", "number", "boolean")) - sum(row["events"] for row in named),
    }
    assert [row["events"] for row in named] == sorted(values.values(), reverse=True)[:limit]
    told = {(TYPES[type(row["value"])], row["value"]): row["events"] for row in named}
    assert len(told) == len(named)
    assert told.items() <= dict(values).items()


async def stored(both: History, sent: list[Event], kind: str | None) -> list[Event]:
    """Append events; return those in the range, limited to one event type if `kind` names it."""
    await both.append(sent)
    events = [event for log in both.logs for event in log.events if START <= event.timestamp < UNTIL]
    return [event for event in events if kind in (None, event.event_type)]


@given(
    st.sampled_from([1, 3]),
    st.lists(sent, max_size=25),
    *(st.none() | st.just("opened"), st.integers(1, 4), st.sampled_from([1, 4, 200])),
)
@settings(examples(40), print_blob=True)
async def test_properties_are_counted(
    database_url: str, shards: int, sent: list[Event], kind: str | None, limit: int, most: int
) -> None:
    async with history(database_url, shards) as both:
        events = await stored(both, sent, kind)
        query = f"{SCOPE}&limit={limit}" + (f"&event_type={kind}" if kind else "")
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(service.reports.properties, "MOST_PROPERTIES", most)
            answer = json.loads(msgspec.json.encode(await both.reads.properties.page(query.encode())))
    expected = {path: of_path for path, of_path in counted(events).items() if len(path) <= 4}
    written = {path: json.dumps(path, ensure_ascii=False, separators=(",", ":"))[:-1] for path in expected}
    ordered = sorted(expected, key=lambda path: (-expected[path][0].total(), written[path]))
    assert (answer["events"], answer["more"]) == (len(events), max(len(expected) - most, 0))
    assert len(answer["properties"]) == min(len(expected), most)
    for shown, path in zip(answer["properties"], ordered, strict=False):
        check(shown, path, *expected[path], limit)


@given(st.sampled_from([1, 3]), st.lists(sent, max_size=15), st.lists(st.sampled_from(NAMES), min_size=1, max_size=6))
@settings(examples(30), print_blob=True)
async def test_one_property_is_counted_however_deep(
    database_url: str, shards: int, sent: list[Event], absent: list[str]
) -> None:
    async with history(database_url, shards) as both:
        events = await stored(both, sent, None)
        expected = counted(events)
        for path in [*expected, tuple(absent)]:
            asked = f"{SCOPE}&property={quote(path_text(path))}"
            answer = json.loads(msgspec.json.encode(await both.reads.properties.page(asked.encode())))
            shown = answer["properties"]
            assert (answer["events"], answer["more"]) == (len(events), 0)
            assert len(shown) == (path in expected)
            if shown:
                check(shown[0], path, *expected[path], 100)


@given(st.lists(st.text(st.characters(exclude_characters="\0", codec="utf-8")), min_size=1, max_size=5))
def test_a_path_is_written_as_conditions_take_it(path: list[str]) -> None:
    (condition,) = parse_conditions(f"properties.{path_text(path)} exists")
    assert isinstance(condition, Condition)
    assert condition.path == ("properties", *path)
    assert property_path(path_text(path)) == tuple(path)
