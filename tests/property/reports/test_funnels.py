"""Funnels over any history equal a brute-force search, also when steps overlap and times are equal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.ingest.event import Event
from service.questions import conditions
from tests.support.funnel_oracle import OPERATORS, STORED, Json, Stored, inside, properties_of
from tests.support.funnels import ask, check, funnels_on, in_range
from tests.support.histories import grown, history
from tests.support.log import an_event
from tests.support.oracle import HOUR
from tests.support.projection import START
from tests.support.sent_events import examples

PROPERTIES = ('{"n": 1, "plan": "pro"}', '{"n": 2, "plan": "free"}', '{"n": 3, "plan": ["pro"]}', None)
MINUTE = timedelta(minutes=1)
# These give equal times, gaps that match a window to the microsecond, and events outside the range of one hour.
PLACES = [-MINUTE, *(number * MINUTE for number in range(4)), 3 * MINUTE + timedelta(microseconds=1), HOUR]

sent = st.builds(
    lambda number, place, session, user, kind, tool, properties, demo: an_event(
        number, at=START + HOUR + place, session=session, kind=kind, tool=tool, properties=properties
    )._replace(user_id=user, action=tool and tool.lower(), demo_mode=demo),
    *(st.integers(0, 200), st.sampled_from(PLACES), st.sampled_from("abcd"), st.sampled_from(["u", "v", None])),
    *(st.sampled_from(["x", "y", "z"]), st.sampled_from(["Home", "Song", None])),
    *(st.sampled_from(PROPERTIES), st.booleans()),
)
tests_of = st.one_of(
    st.builds(
        lambda op, value: {"field": "properties.n", "op": op, "value": value},
        st.sampled_from(["=", "!=", "<", ">", "<=", ">="]),
        st.integers(1, 3),
    ),
    st.builds(
        lambda field, op: {"field": field, "op": op},
        st.sampled_from(["properties.plan", "tool_name", "user_id"]),
        st.sampled_from(["exists", "missing"]),
    ),
    st.just({"field": "properties.n", "op": "in", "value": [1, 3]}),
    st.builds(
        lambda field, op, value: {"field": field, "op": op, "value": value},
        st.sampled_from(["event_type", "tool_name", "action"]),
        st.sampled_from(["=", "!="]),
        st.sampled_from(["x", "Home", "home"]),
    ),
    st.just({"field": "event_type", "op": "in", "value": ["x", "y"]}),
    st.booleans().map(lambda value: {"field": "demo_mode", "op": "=", "value": value}),
)
steps = st.one_of(
    st.sampled_from(["x", "y", "z"]).map(lambda kind: {"event_type": kind}),
    st.sampled_from(["Home", "Song"]).map(lambda tool: {"tool_name": tool}),
    st.just({"event_type": "x", "action": "home"}),
    st.lists(tests_of, min_size=1, max_size=3).map(lambda where: {"where": where}),
    st.lists(tests_of, min_size=1, max_size=2).map(lambda where: {"event_type": "x", "where": where}),
)
FILTERS: tuple[tuple[Json, Callable[[Stored], Any]], ...] = (
    ({}, lambda _: True),
    ({"tool_name": "Home"}, lambda event: event["tool_name"] == "Home"),
    ({"where": "properties.n < 3"}, lambda event: properties_of(event).get("n", 3) < 3),
    ({"demo_mode": "1", "where": "user_id exists"}, lambda event: event["demo_mode"] and event["user_id"]),
)
questions: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {
        "steps": st.lists(steps, min_size=2, max_size=4),
        "window_minutes": st.sampled_from([1, 2, 3, 1_440]),
        "by": st.sampled_from(["session", "user"]),
        "order": st.sampled_from(["loose", "strict"]),
    },
    optional={"breakdown": st.sampled_from(["event_type", "tool_name", "action", "properties.plan", "properties.n"])},
)
batches = st.lists(
    st.tuples(st.lists(sent, min_size=3, max_size=20), st.sampled_from([0, 3, 1_000])), min_size=1, max_size=3
)


@given(
    st.sampled_from([1, 3]), batches, st.lists(st.tuples(questions, st.sampled_from(FILTERS)), min_size=4, max_size=8)
)
@settings(examples(40), print_blob=True)
async def test_a_funnel_counts_what_a_search_of_all_runs_finds(
    database_url: str, shards: int, sent: list[tuple[list[Event], int]], asked: list[tuple[Json, Any]]
) -> None:
    async with history(database_url, shards) as both:
        found = funnels_on(both.reads)
        await grown(both, sent)
        stored: list[Any] = await both.admin.fetch(STORED)
        for question, (filters, passes) in asked:
            for hours in (1, 2):  # with and without the events after the first hour
                since, until = START + HOUR, START + (1 + hours) * HOUR
                events = [event for event in inside(stored, since, until) if passes(event)]
                ranged = in_range(question, since, until)
                check(await ask(found, ranged | {"filters": filters}), ranged, events)


def test_all_operators_of_the_oracle_are_those_of_the_product() -> None:
    assert OPERATORS.keys() == set(conditions.OPERATORS)
