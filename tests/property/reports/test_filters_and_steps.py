"""A filter and a funnel step with the same text count the same events."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from hypothesis import given
from hypothesis import strategies as st

from service.ingest.event import Event
from tests.support.condition_cases import COMPOSED, TEXTS
from tests.support.funnels import ask, funnels_on
from tests.support.histories import history
from tests.support.log import an_event
from tests.support.projection import START
from tests.support.random_conditions import Tree, events, tree_text, trees
from tests.support.sent_events import examples

questions = st.lists(trees, min_size=1, max_size=3)
OTHERS: list[Any] = [0, 10, "10", True, "2025-12-31", ["pro", 10], {"a": 1}]


def an_event_with(number: int, **given: Any) -> Event:
    """Return an event with its own session, so that a funnel counts each event as one run."""
    properties = given.pop("properties", None)
    event = an_event(number, at=START, session=f"s-1-{number}", tool=None)
    return event._replace(properties=None if properties is None else json.dumps(properties), **given)


def with_value(path: list[str], value: Any) -> dict[str, Any]:
    """Return the fields that an event needs so that it has a value at a path."""
    if path == ["risk_mode"]:
        return {"event_type": "risk_mode_changed", "properties": {"risk_mode": value}}
    for name in reversed(path):
        value = {name: value}
    return dict(value)


def cases_events() -> list[Event]:
    """Return at least one event that passes each of the shared cases, and others."""
    given = [with_value(case["path"], value) for case in COMPOSED for value in case["read"] or ["x"]]
    given += [{"properties": {"plan": value}} for value in OTHERS] + [{"action": action} for action in "ab"]
    allowed = [each for each in given if each.get("demo_mode") != "true" and "session_id" not in each]
    return [an_event_with(number, **each) for number, each in enumerate(allowed)]


async def counts(url: str, sent: list[Event], texts: list[str]) -> list[tuple[str, int, int]]:
    """Return each text with the number of events that pass it as a filter and as a step."""
    found = []
    async with history(url, 1) as both:
        read = both.reads
        asked = funnels_on(read)
        await both.append(sent)
        for text in texts:
            filtered = await read.summary.page(urlencode({"where": text}).encode())
            funnel = await ask(asked, {"steps": [{"where": text}] * 2})
            found.append((text, filtered["totals"]["events"], funnel["steps"][0]["reached"]))
    return found


async def test_a_step_counts_what_a_filter_does_for_the_shared_cases(database_url: str) -> None:
    texts = [text for text in TEXTS if text.strip()]
    found = await counts(database_url, cases_events(), texts)
    assert [(text, step) for text, _, step in found] == [(text, filtered) for text, filtered, _ in found]
    composed = {case["text"] for case in COMPOSED}
    assert [text for text, _, step in found if text in composed and not step] == []


@given(
    st.lists(events, min_size=1, max_size=8),
    st.lists(st.lists(trees, min_size=1, max_size=3), min_size=6, max_size=10),
)
@examples(30)
async def test_a_step_counts_what_a_filter_does(
    database_url: str, sent: list[dict[str, Any]], asked: list[list[Tree]]
) -> None:
    texts = [" and ".join(map(tree_text, conditions)) for conditions in asked]
    found = await counts(database_url, [an_event_with(number, **each) for number, each in enumerate(sent)], texts)
    assert [(text, step) for text, _, step in found] == [(text, filtered) for text, filtered, _ in found]
