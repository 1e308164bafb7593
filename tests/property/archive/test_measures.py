"""Visits and numbers are measured as a brute-force count does, wherever events are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.archive.checks import filter_checks
from service.archive.conversion_questions import Conversions
from service.archive.measure_questions import Numbers, Visits
from service.ingest.event import Event
from tests.property.archive.test_answers import Row, asking, bytes_of, placed
from tests.support import web_oracle
from tests.support.funnel_oracle import inside
from tests.support.hard_events import UNTIL, bounds
from tests.support.histories import history
from tests.support.projection import START
from tests.support.sent_events import examples
from tests.support.web_events import divisions, filters, visited

shared = placed(visited, 5, 25)
divided = st.tuples(st.none() | divisions, st.none() | st.just(("/", "Firefox", "a")))


def sorted_rows(rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row["bucket"], row["whole"], row["key"] or ""))


@given(*shared, st.lists(st.tuples(divided, bounds, filters), min_size=5, max_size=10))
@settings(examples(25), print_blob=True)
async def test_visits(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        everything = await log.events()
        for (division, keys), buckets, given_filters in asked:
            divided_by, path = division or (None, None)
            question = Visits(
                bounds=buckets, divided_by=divided_by, path=path, keys=keys, checks=filter_checks(given_filters)
            )
            in_range = inside(everything, buckets[0], buckets[-1])
            passing = await log.inside(buckets[0], buckets[-1], given_filters)
            expected = web_oracle.visit_rows(in_range, web_oracle.keyed(in_range, passing, question), question)
            assert sorted_rows(log.ask(question)) == sorted_rows(expected), question


@given(
    *shared,
    st.lists(
        st.tuples(divided, bounds, st.sampled_from(["revenue", "revenue", "path", "none"]), st.booleans(), filters),
        min_size=5,
        max_size=10,
    ),
)
@settings(examples(25), print_blob=True)
async def test_numbers(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        everything = await log.events()
        for (division, keys), buckets, name, with_quantiles, given_filters in asked:
            divided_by, path = division or (None, None)
            question = Numbers(
                bounds=buckets,
                divided_by=divided_by,
                path=path,
                keys=keys,
                of=(name,),
                with_quantiles=with_quantiles,
                checks=filter_checks(given_filters),
            )
            in_range = inside(everything, buckets[0], buckets[-1])
            passing = await log.inside(buckets[0], buckets[-1], given_filters)
            expected = sorted_rows(web_oracle.number_rows(web_oracle.keyed(in_range, passing, question), question))
            found = sorted_rows(log.ask(question))
            quantiles = [{name: row.pop(name) for name in ("median", "p90")} for row in found]
            assert [pytest.approx({name: row.pop(name) for name in ("median", "p90")}) for row in expected] == quantiles
            assert found == expected, question


@given(
    *shared,
    st.lists(
        st.tuples(
            st.none() | divisions, filters, filters, st.sampled_from([None, ("revenue",)]), st.sampled_from([1, 9])
        ),
        min_size=5,
        max_size=10,
    ),
)
@settings(examples(25), print_blob=True)
async def test_conversions(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        in_range = inside(await log.events(), START, UNTIL)
        for division, given_filters, goal, value, most in asked:
            divided_by, path = division or (None, None)
            question = Conversions(
                since=START,
                until=UNTIL,
                goal=filter_checks(goal),
                value=value,
                divided_by=divided_by,
                path=path,
                most=most,
                checks=filter_checks(given_filters),
            )
            passing = await log.inside(START, UNTIL, given_filters)
            reaching = {(event["shard"], event["position"]) for event in await log.inside(START, UNTIL, goal)}
            found = web_oracle.keyed(in_range, passing, question)
            expected = web_oracle.conversion_rows(found, in_range, reaching, question)
            assert sorted(bytes_of(log.ask(question))) == sorted(bytes_of(expected)), question
