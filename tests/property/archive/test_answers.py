"""DuckDB's answers about raw events equal a brute-force count to the byte, wherever the events are.

Which events pass conditions PostgreSQL says, by its jsonpath.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from service.archive.answers import ASKED, answer
from service.archive.checks import filter_checks
from service.archive.conversion_questions import Conversions
from service.archive.measure_questions import Measured
from service.archive.path_questions import Paths
from service.archive.questions import Asked, Cohorts, Funnel, Properties, Step, Trend
from service.archive.source import Part
from service.archive.top_questions import Top
from service.ingest.event import Event
from service.questions.condition_grammar import parse_conditions
from service.questions.filters import NOTHING, Filters
from service.reports.funnel_body import Step as SentStep
from sql.archive.duck import connect
from sql.hourly import DIMENSIONS
from tests.support import answer_oracle
from tests.support.archive_parts import LAYOUTS, parts_of
from tests.support.event_matches import FUNCTIONS, document
from tests.support.funnel_oracle import Stored, inside
from tests.support.hard_events import NAMES, UNTIL, bounds, conditions, filters, paths, sent
from tests.support.histories import History, history
from tests.support.projection import START
from tests.support.sent_events import examples

Row = dict[str, Any]
PASSING = "select * from events as e where event_matches(e, $1)"


def bytes_of(rows: Iterable[Any]) -> list[bytes]:
    return [msgspec.json.encode(dict(row), order="sorted") for row in rows]


@dataclass(frozen=True)
class Asking:
    """A log that PostgreSQL and DuckDB have, wherever DuckDB reads it from."""

    both: History
    connection: duckdb.DuckDBPyConnection
    parts: list[Part]

    def ask(self, question: Asked | Top | Measured | Conversions | Paths) -> list[Row]:
        """Return DuckDB's answer."""
        sent_over = msgspec.msgpack.decode(msgspec.msgpack.encode(question), type=ASKED)
        assert sent_over == question
        return answer(self.connection, self.parts, sent_over)

    async def events(self, given: Filters = NOTHING) -> list[Stored]:
        """Return the stored events that pass, as PostgreSQL tells."""
        return [dict(row) for row in await self.both.admin.fetch(PASSING, document(given))]

    async def inside(self, since: datetime, until: datetime, given: Filters) -> list[Stored]:
        """Return the stored events of a range that pass."""
        return inside(await self.events(given), since, until)


@asynccontextmanager
async def asking(both: History, events: Sequence[Event], layout: str) -> AsyncIterator[Asking]:
    """Append events, and give the log."""
    await both.append(list(events))
    await both.admin.execute(FUNCTIONS)
    with TemporaryDirectory() as folder, connect(Path(folder), "1GB", 2, ordered=False) as connection:
        yield Asking(both, connection, await parts_of(both.database, connection, Path(folder), layout))


def placed(event: st.SearchStrategy[Event], least: int, most: int) -> tuple[st.SearchStrategy[Any], ...]:
    """Return strategies for a number of shards, a layout of files and rows, and events."""
    events = st.lists(event, min_size=least, max_size=most)
    return st.sampled_from([1, 3]), st.sampled_from(sorted(LAYOUTS)), events


shared = placed(sent, 5, 25)


@given(
    *shared,
    st.lists(
        st.tuples(
            bounds,
            st.sets(st.sampled_from([*DIMENSIONS, "tool_uses", "sessions", "users", "identified"])),
            st.none() | st.lists(st.sampled_from(["Home", "x", "true", "(other)"]), max_size=2),
            st.none() | st.sampled_from(DIMENSIONS),
            st.booleans(),
            filters,
        ),
        min_size=3,
        max_size=5,
    ),
)
@settings(examples(20), print_blob=True)
async def test_trends(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        for buckets, named, keys, divided_by, whole, given_filters in asked:
            question = Trend(
                bounds=buckets,
                named=tuple(sorted(named)),
                keys=None if keys is None else tuple(keys),
                divided_by=divided_by,
                whole=whole,
                checks=filter_checks(given_filters),
            )
            passing = await log.inside(buckets[0], buckets[-1], given_filters)
            expected = answer_oracle.trend_rows(passing, question)
            assert sorted(bytes_of(log.ask(question))) == sorted(bytes_of(expected)), question


@given(
    *shared,
    st.lists(
        st.tuples(bounds, st.sampled_from(["user", "visitor"]), st.none() | st.just("x"), filters),
        min_size=3,
        max_size=5,
    ),
)
@settings(examples(20), print_blob=True)
async def test_cohorts(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        for buckets, by, returning, given_filters in asked:
            question = Cohorts(bounds=buckets, by=by, return_event_type=returning, checks=filter_checks(given_filters))
            expected = answer_oracle.cohort_rows(await log.events(), await log.events(given_filters), question)
            assert sorted(bytes_of(log.ask(question))) == sorted(bytes_of(expected)), question


@given(
    *shared,
    st.lists(
        st.tuples(
            st.none() | st.lists(st.sampled_from(NAMES), min_size=1, max_size=3),
            *(st.sampled_from([1, 4]), st.sampled_from([1, 4, 200]), st.sampled_from([1, 3, 100]), filters),
        ),
        min_size=3,
        max_size=5,
    ),
)
@settings(examples(20), print_blob=True)
async def test_properties(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        for wanted, depth, most_properties, most_values, given_filters in asked:
            question = Properties(
                since=START,
                until=UNTIL,
                wanted=None if wanted is None else tuple(wanted),
                most_depth=depth,
                most_properties=most_properties,
                most_values=most_values,
                checks=filter_checks(given_filters),
            )
            # The rows about the whole are in any order.
            found = sorted(log.ask(question), key=lambda row: row["path"] is not None)
            expected = answer_oracle.property_rows(await log.inside(START, UNTIL, given_filters), question)
            assert sorted(bytes_of(found[:2])) == sorted(bytes_of(expected[:2]))
            assert bytes_of(found[2:]) == bytes_of(expected[2:]), question


steps = st.one_of(
    st.sampled_from(["x", "y"]).map(lambda kind: SentStep(event_type=kind)),
    st.sampled_from(["Home", "Song"]).map(lambda tool: SentStep(tool_name=tool)),
    st.just(SentStep(event_type="x", action="home")),
    st.lists(conditions, min_size=1, max_size=2).map(lambda where: SentStep(where=" and ".join(where))),
)
breakdowns = st.one_of(
    st.just((None, None)),
    st.sampled_from(DIMENSIONS).map(lambda dimension: (dimension, None)),
    paths.map(lambda path: ("properties", list(path[1:]))),
    st.sampled_from(["plan", "n", "0", "__proto__"]).map(lambda name: ("properties", [name])),
)


def filters_of(step: SentStep) -> Filters:
    """Return the filters that the events of a step pass."""
    return Filters(
        event_type=step.event_type,
        tool_name=step.tool_name,
        action=step.action,
        where=parse_conditions(step.where),
    )


@given(
    *shared,
    st.lists(
        st.tuples(
            st.lists(steps, min_size=2, max_size=4),
            *(st.sampled_from([1, 2, 15, 16, 1_440]), st.booleans(), st.booleans(), breakdowns),
            *(st.sampled_from([0, 1, 100]), st.sampled_from([1, 10]), filters),
        ),
        min_size=4,
        max_size=8,
    ),
)
@settings(examples(20), print_blob=True)
async def test_funnels(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[tuple[Any, ...]]
) -> None:
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        for sent_steps, minutes, by_user, strict, breakdown, most_ids, most_keys, given_filters in asked:
            question = Funnel(
                since=START,
                until=UNTIL,
                by_user=by_user,
                strict=strict,
                window_minutes=minutes,
                steps=tuple(Step(filter_checks(filters_of(each))) for each in sent_steps),
                divided_by=breakdown[0],
                path=None if breakdown[1] is None else tuple(breakdown[1]),
                most_keys=most_keys,
                most_ids=most_ids,
                checks=filter_checks(given_filters),
            )
            passing = await log.inside(START, UNTIL, given_filters)
            may_be = [
                {(event["shard"], event["position"]) for event in await log.events(filters_of(each))}
                for each in sent_steps
            ]
            expected = answer_oracle.funnel_rows(passing, may_be, question)
            assert sorted(bytes_of(log.ask(question))) == sorted(bytes_of(expected)), question


@given(*shared, st.lists(filters, min_size=10, max_size=20))
@settings(examples(30), print_blob=True)
async def test_conditions(
    database_url: str, shards: int, layout: str, events: list[Event], asked: list[Filters]
) -> None:
    """DuckDB counts the events that pass in PostgreSQL."""
    async with history(database_url, shards) as both, asking(both, events, layout) as log:
        for given_filters in asked:
            count = len(await log.inside(START, UNTIL, given_filters))
            rows = log.ask(Trend(bounds=[START, UNTIL], checks=filter_checks(given_filters)))
            found = [row["amount"] for row in rows if row["measure"] == "event_type"]
            assert found == ([count] if count else []), given_filters
