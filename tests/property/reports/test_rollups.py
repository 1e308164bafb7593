"""Reports are the same with documents and without, on one shard and on several, wherever the tail of the log begins."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import service.reports.rollups
from projections.projector import catch_up
from service.ingest.event import Event
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from tests.support.histories import History, history
from tests.support.log import an_event
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import MODES, PLACES, START, proofs
from tests.support.sent_events import examples

HOURS = 4
NOW = START + (HOURS + 1) * HOUR
SHARDS = (1, 8)
ODD = ("Home", "(other)", '"><\\', "\x01\t\n\x7f", "a\u2028b", "é😀", "\ufffe", "\u0153" * 128)
KEYS = st.sampled_from([*ODD, *"abcdef"])
QUERIES = [
    "",
    "hours=3",
    "fill=1",
    # Some begin at each quarter of an hour.
    *(
        f"from={START + a * QUARTER:%Y-%m-%dT%H:%MZ}&to={START + b * QUARTER:%Y-%m-%dT%H:%MZ}&fill={(a + b) % 2}"
        for a in range(0, HOURS * 4, 5)
        for b in range(a + 4, (HOURS + 2) * 4, 4)
    ),
]

sent = st.builds(
    lambda number, quarter, place, session, kind, tool, mode: an_event(
        number, at=START + quarter * QUARTER + place, session=session, kind=kind, tool=tool, properties=mode
    ),
    *(st.integers(0, 1_000), st.integers(0, HOURS * 4 - 1), st.sampled_from(PLACES), st.sampled_from("abcdefgh")),
    *(st.just("risk_mode_changed") | KEYS, st.none() | KEYS, st.sampled_from(MODES)),
)


class Shown:
    """All answers about a log, as text, without `as_of`, which differs between shards."""

    def __init__(self, both: History) -> None:
        self._rollups = Rollups(both.database, Shards(both.database), lambda: NOW)

    async def all(self) -> list[str]:
        return [await self._page(query) for query in QUERIES] + [
            await self._one(START + hour * HOUR) for hour in range(HOURS)
        ]

    async def _page(self, query: str) -> str:
        return text_of(await self._rollups.page(query.encode()) | {"as_of": None})

    async def _one(self, hour: datetime) -> str:
        return text_of((await self._rollups.one(f"{hour:%Y-%m-%dT%H:00Z}"))["rollup"])


def text_of(answer: object) -> str:
    """Return an answer as JSON text; it keeps the order of keys, but not the way characters are escaped."""
    return json.dumps(json.loads(msgspec.json.encode(answer), object_pairs_hook=no_repeats))


def no_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


async def in_each_state(both: History, events: list[Event], tail: list[Event]) -> list[list[str]]:
    """Return the answers for a folded log with and without documents, then with a tail, without and with documents."""
    shown = Shown(both)
    await both.append(events)
    await catch_up(both.database)
    plain = await shown.all()
    assert {proof.state for proof in await proofs(both.database)} <= {"verified"}
    hours = {(event.session_id, event.timestamp) for log in both.logs for event in log.events}
    assert await both.admin.fetchval("select count(*) > 0 from hourly_documents") == bool(hours)
    documents = await shown.all()
    await both.append(tail)
    with_tail = await shown.all()
    await both.admin.execute("delete from hourly_documents")
    return [plain, documents, with_tail, await shown.all()]


@given(
    st.lists(sent, max_size=20), st.lists(sent, max_size=5), st.sampled_from([2, 3, service.reports.rollups.MOST_KEYS])
)
@settings(examples(10), print_blob=True)
async def test_answers_are_the_same_with_documents_and_without(
    database_url: str, events: list[Event], tail: list[Event], most_keys: int
) -> None:
    found = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(service.reports.rollups, "MOST_KEYS", most_keys)
        for shards in SHARDS:
            async with history(database_url, shards) as both:
                plain, documents, with_tail, plain_tail = await in_each_state(both, events, tail)
            assert documents == plain
            assert with_tail == plain_tail
            found.append((plain, with_tail))
    assert found[0] == found[1]
