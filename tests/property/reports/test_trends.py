"""Counts in any buckets of time equal a brute-force count, from rollups and tail as well as from raw events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.archive.checks import filter_checks
from service.archive.questions import Trend
from service.ingest.event import Event
from service.questions.filters import NOTHING, Filters
from tests.support import oracle
from tests.support.histories import History, grown, history
from tests.support.log import an_event
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import MODES, PLACES, START
from tests.support.sent_events import examples

HOURS = 5
STANDINGS = """
select w.measure, w.amount
from log_heads as h
cross join lateral hourly_standing(h.shard) as s
cross join lateral (values ('position', s.head), ('lag_events', s.lag_events)) as w (measure, amount)
"""
FILTERS = ("tool_name", "event_type", "action", "demo_mode", "risk_mode")
KEYS = ("page_viewed", "risk_mode_changed", "Home", "open", "high", "(other)", "true")
sent = st.builds(
    lambda number, quarter, place, session, kind, tool, mode, action, demo, user: an_event(
        number, at=START + quarter * QUARTER + place, session=session, kind=kind, tool=tool, properties=mode, user=user
    )._replace(action=action, demo_mode=demo),
    *(st.integers(0, 40), st.integers(0, HOURS * 4 - 1), st.sampled_from(PLACES), st.sampled_from("abcd")),
    *(st.sampled_from(["page_viewed", "risk_mode_changed"]), st.sampled_from(["Home", "(other)", None])),
    *(st.sampled_from(MODES), st.sampled_from(["open", "close", None]), st.booleans()),
    st.sampled_from([None, None, "x", "y", "z"]),
)
# Buckets of whole hours, of quarters, and of no length; some begin before the first event or end after the last.
in_quarters = st.lists(st.integers(-4, HOURS * 4 + 4), min_size=2, max_size=9)
in_hours = st.lists(st.integers(-1, HOURS + 1).map(lambda hour: hour * 4), min_size=2, max_size=7)
bounds = st.one_of(in_quarters, in_hours).map(lambda places: [START + place * QUARTER for place in sorted(places)])
keys = st.none() | st.lists(st.sampled_from(KEYS), max_size=3)


async def rows(both: History, query: str, *arguments: object) -> oracle.Trend:
    """Return the summed rows of all shards; check and remove the rows about the log's position and lag."""
    found: oracle.Trend = Counter()
    for shard, log in enumerate(both.logs):
        lag = await both.admin.fetchval("select lag_events from hourly_standing($1)", shard)
        about = {"position": await both.admin.fetchval("select log_head($1)", shard), "lag_events": lag}
        for bucket, measure, key, amount in await both.database.rows(query, shard, *arguments):
            if bucket is None:
                assert about.pop(measure) == amount
            else:
                found[bucket, measure, key] += amount
        assert about == {}
        assert lag <= len(log.events)
    return +found


def passes(event: Event, filters: Sequence[object]) -> bool:
    has = {**dict(oracle.all_keys(event)), "demo_mode": event.demo_mode}
    return all(wanted is None or has.get(name) == wanted for name, wanted in zip(FILTERS, filters, strict=True))


Asked = tuple[list[datetime], set[str], list[str] | None]
grown_batches = st.lists(st.tuples(st.lists(sent, max_size=10), st.sampled_from([0, 0, 3, 1_000])), max_size=6)


@given(st.sampled_from([1, 3]), grown_batches, st.tuples(bounds, st.sets(st.sampled_from(oracle.DIMENSIONS)), keys))
@settings(examples(35), print_blob=True)
async def test_rollups_and_tail_are_counted_in_any_buckets(
    database_url: str, shards: int, batches: list[tuple[list[Event], int]], asked: Asked
) -> None:
    bounds, named, told = asked
    async with history(database_url, shards) as both:
        stored = await grown(both, batches)
        found = await rows(both, both.database.statements.read_trend, bounds, sorted(named), told)
        assert found == oracle.trend(stored, bounds, {*named, "sessions"}, told)


@given(st.sampled_from([1, 3]), grown_batches, st.tuples(bounds, st.sets(st.sampled_from(oracle.DIMENSIONS)), keys))
@settings(examples(35), print_blob=True)
async def test_people_are_counted_in_any_buckets(
    database_url: str, shards: int, batches: list[tuple[list[Event], int]], asked: Asked
) -> None:
    """Each shard counts by edges. Reads across shards count member rows, because a user may be in several shards."""
    bounds, named, told = asked
    asked_of = [*named, "users", "identified"]
    expected = {*named, "sessions", "users", "new_users", "identified"}
    async with history(database_url, shards) as both:
        stored = await grown(both, batches)
        statements = both.database.statements
        for shard, log in enumerate(both.logs):
            of_shard = await both.database.rows(statements.read_trend, shard, bounds, asked_of, told)
            assert summed(of_shard) == oracle.trend(log.events, bounds, expected, told)
        of_all = await both.database.rows(statements.read_people, [*range(shards)], bounds, asked_of, told)
        assert summed(of_all) == oracle.trend(stored, bounds, expected, told)
        heads = await both.admin.fetch("select log_head(shard) from log_heads order by shard")
        assert [row["amount"] for row in of_all if row["measure"] == "position"] == [head for (head,) in heads]


def summed(rows: Iterable[Iterable[Any]]) -> oracle.Trend:
    found: oracle.Trend = Counter()
    for bucket, measure, key, amount in rows:
        if bucket is not None:
            found[bucket, measure, key] += amount
    return +found


@given(
    st.sampled_from([1, 3]),
    grown_batches,
    st.tuples(bounds, st.sets(st.sampled_from([*FILTERS, "tool_uses", "sessions", "users"])), keys),
    st.none() | st.sampled_from(FILTERS),
    st.tuples(
        *(st.none() | st.just("Home"), st.none() | st.sampled_from(["page_viewed", "risk_mode_changed"])),
        *(st.none() | st.just("open"), st.none() | st.booleans(), st.none() | st.sampled_from(["high", "(other)"])),
    ),
)
@settings(examples(35), print_blob=True)
async def test_raw_events_are_counted_in_any_buckets(
    database_url: str,
    shards: int,
    batches: list[tuple[list[Event], int]],
    asked: Asked,
    divided_by: str | None,
    filters: tuple[Any, ...],
) -> None:
    bounds, named, told = asked
    given = Filters(**dict(zip(FILTERS, filters, strict=True)))
    async with history(database_url, shards) as both:
        stored = await grown(both, batches)
        passed = [event for event in stored if passes(event, filters)]
        # Sessions with a user are counted only when both sessions and users are.
        expected = named | ({"identified"} if {"sessions", "users"} <= named else set())
        found = await raw_events(both, bounds, named, told, divided_by, given)
        assert found == oracle.of_raw_events(oracle.trend(passed, bounds, expected, told, divided_by), expected)
        same = await rows(both, both.database.statements.read_trend, bounds, list(oracle.DIMENSIONS), told)
        assert same == await raw_events(both, bounds, {*oracle.DIMENSIONS, "sessions"}, told, None, NOTHING)


async def raw_events(
    both: History,
    bounds: list[datetime],
    named: set[str],
    told: list[str] | None,
    divided_by: str | None,
    filters: Filters,
) -> oracle.Trend:
    """Return the counts of raw events; check the rows about each shard's position and lag."""
    keys = None if told is None else tuple(told)
    question = Trend(
        bounds=bounds, named=tuple(sorted(named)), keys=keys, divided_by=divided_by, checks=filter_checks(filters)
    )
    found = (await both.reads.raw_events.ask(question)).rows
    standings = [(row["measure"], row["amount"]) for row in found if row["bucket"] is None]
    assert sorted(standings) == sorted(tuple(row) for row in await both.admin.fetch(STANDINGS))
    return summed(tuple(row[name] for name in ("bucket", "measure", "key", "amount")) for row in found)


def test_the_buckets_of_the_oracle_are_half_open() -> None:
    events = [an_event(number, at=START + number * HOUR) for number in range(3)]
    found = oracle.trend(events, [START, START + HOUR, START + 2 * HOUR], {"event_type"}, None)
    assert [found[bucket, "event_type", "page_viewed"] for bucket in (1, 2, 3)] == [1, 1, 0]
