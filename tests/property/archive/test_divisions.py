"""Keys of fields, properties, and first and last pages are counted as a brute-force count does, wherever events are."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from service.archive.checks import filter_checks
from service.archive.questions import Trend
from service.archive.top_questions import Top
from service.ingest.event import Event
from tests.property.archive.test_answers import asking, bytes_of, placed
from tests.support import web_oracle
from tests.support.hard_events import UNTIL, bounds
from tests.support.histories import history
from tests.support.projection import START
from tests.support.sent_events import examples
from tests.support.web_events import divisions, filters, visited

shared = placed(visited, 5, 25)


@given(
    *shared,
    st.lists(
        st.tuples(
            *(divisions, st.sampled_from(["events", "sessions", "visitors"]), st.booleans()),
            *(st.sampled_from([None, None, "DOC", "i", "nothing"]), st.sampled_from([1, 2, 50]), filters),
        ),
        min_size=5,
        max_size=10,
    ),
)
@settings(examples(25), print_blob=True)
async def test_the_largest_keys(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        everything = await log.events()
        for (divided_by, path), rank, plain, search, most, given_filters in asked:
            question = Top(
                since=START,
                until=UNTIL,
                divided_by=divided_by,
                path=path,
                rank="events" if plain else rank,
                counts_members=not plain,
                search=search,
                most=most,
                checks=filter_checks(given_filters),
            )
            inside = [event for event in everything if START <= event["timestamp"] < UNTIL]
            passing = await log.inside(START, UNTIL, given_filters)
            expected = web_oracle.top_rows(web_oracle.keyed(inside, passing, question), question)
            assert bytes_of(log.ask(question)) == bytes_of(expected), question


@given(
    *shared,
    st.lists(
        st.tuples(divisions, bounds, st.none() | st.just(("/", "Firefox", "a")), filters), min_size=5, max_size=10
    ),
)
@settings(examples(25), print_blob=True)
async def test_trends_of_keys(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        everything = await log.events()
        for (divided_by, path), buckets, keys, given_filters in asked:
            question = Trend(
                bounds=buckets,
                named=("part", "sessions"),
                keys=keys,
                divided_by=divided_by,
                path=path,
                checks=filter_checks(given_filters),
            )
            since, until = question.range
            inside = [event for event in everything if since is not None and since <= event["timestamp"] < until]
            passing = await log.inside(buckets[0], buckets[-1], given_filters)
            expected = web_oracle.part_rows(web_oracle.keyed(inside, passing, question), question)
            found = [row for row in log.ask(question) if row["key"] is not None]
            assert sorted(bytes_of(found)) == sorted(bytes_of(expected)), question
