"""What fits into one commit: as many events as take PostgreSQL a short time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from service.ingest.append_queue import CHARACTERS_PER_COMMIT, EVENTS_PER_COMMIT, Part, Queue, commits
from service.ingest.event import Event

LARGE = 16_384


def event(characters: int = 2) -> Event:
    properties = "{" + " " * (characters - 2) + "}" if characters else None
    return Event("e", "s", None, "t", None, None, properties, True, datetime.now(UTC))


@pytest.mark.parametrize(
    ("events", "characters"), [(1, 0), (500, 2), (501, 0), (1_000, 2_000), (500, LARGE), (61, LARGE)]
)
def test_events_are_divided_in_order_into_commits_that_fit(events: int, characters: int) -> None:
    sent = [event(characters)] * events
    divided = commits(sent, list(range(events)))
    assert [place for some in divided for place in some] == list(range(events))
    assert all(len(some) <= EVENTS_PER_COMMIT for some in divided)
    assert all(len(some) * characters <= CHARACTERS_PER_COMMIT for some in divided)
    fit = min(EVENTS_PER_COMMIT, CHARACTERS_PER_COMMIT // max(characters, 1))
    assert len(divided) == -(-events // fit)


async def test_parts_that_wait_share_a_commit_as_long_as_they_fit() -> None:
    queue = Queue(open=True)
    parts = [Part([event(LARGE)] * 30, asyncio.get_running_loop().create_future()) for _ in range(3)]
    for part in parts:
        queue.put(part)
    assert queue.take() == parts[:2]
    assert queue.take() == parts[2:]
    assert not queue.due.is_set()
