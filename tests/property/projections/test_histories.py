"""Any history of appends, folds, compactions, rebuilds and restarts ends with the counts of the oracle."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.projector import catch_up, step
from service.ingest.event import Event
from tests.support import oracle
from tests.support.histories import HOURS, history
from tests.support.log import an_event, append
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import MODES, PLACES, START, folded
from tests.support.sent_events import examples

WITNESSED = """
select l.shard, h.hour, a.events, a.digest_high, a.digest_low
from unnest($1::timestamptz[]) as h (hour), log_heads as l, lateral appended(l.shard, h.hour) as a
order by 1, 2
"""
# Few ids, sessions and hours, so that duplicates, ids of other sessions and late events are common.
sent = st.builds(
    lambda number, quarter, place, session, kind, tool, mode, user: an_event(
        number, at=START + quarter * QUARTER + place, session=session, kind=kind, tool=tool, properties=mode, user=user
    ),
    *(st.integers(0, 30), st.integers(0, HOURS * 4 - 1), st.sampled_from(PLACES), st.sampled_from("abcd")),
    *(st.sampled_from(["page_viewed", "risk_mode_changed"]), st.sampled_from(["Home", None]), st.sampled_from(MODES)),
    st.sampled_from([None, None, "x", "y", "z"]),
)
batches = st.lists(sent, min_size=1, max_size=12)
steps = st.one_of(
    *[st.tuples(st.just("append"), batches)] * 4,
    *[st.tuples(st.just("project"), st.integers(1, 20))] * 2,
    st.tuples(st.just("compact"), st.none()),
    st.tuples(st.just("rebuild"), st.integers(0, HOURS - 1)),
    st.tuples(st.just("lose_and_rebuild"), st.integers(0, HOURS - 1)),
    st.tuples(st.just("verify"), st.none()),
    st.tuples(st.just("restart"), st.none()),
)


@given(st.sampled_from([1, 8]), st.lists(steps, min_size=3, max_size=25))
@settings(examples(50), print_blob=True)
async def test_any_history_ends_with_a_brute_force_count(
    database_url: str, shards: int, taken: list[tuple[str, object]]
) -> None:
    async with history(database_url, shards) as both:
        for name, argument in taken:
            await getattr(both, name)(argument)
            await both.check_sum()
        await both.check_all()


@given(st.data(), st.lists(sent, max_size=40, unique_by=lambda each: (each.event_id, each.timestamp)))
@settings(examples(25), print_blob=True)
async def test_the_order_of_arrival_changes_no_digest_and_no_rollup(
    database_url: str, data: st.DataObject, events: list[Event]
) -> None:
    """Two shards get the same events in different orders, some twice, with folds at different places."""
    async with history(database_url, 2) as both:
        for shard in (0, 1):
            repeated = data.draw(st.lists(st.sampled_from(events), max_size=5)) if events else []
            for each in data.draw(st.permutations([*events, *repeated])):
                await append(both.database, [each], shard=shard)
                if data.draw(st.integers(0, 3)) == 0:
                    await step(both.database, limit=3)
        await catch_up(both.database)
        assert await folded(both.admin, shard=0) == await folded(both.admin, shard=1) == oracle.rows(events)
        hours = [START + hour * HOUR for hour in range(HOURS)]
        witnessed = [tuple(row) for row in await both.admin.fetch(WITNESSED, hours)]
        assert [row[1:] for row in witnessed[:HOURS]] == [row[1:] for row in witnessed[HOURS:]]
        assert sum(row[2] for row in witnessed) == 2 * len(events)
