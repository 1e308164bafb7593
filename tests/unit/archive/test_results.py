"""Rows of an answer: few enough for memory, and only the largest keys where an answer names no others."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from service.archive import results
from service.archive.questions import WHOLE
from service.archive.results import rows_of
from service.errors import ReadTooLarge
from service.reports.counted import Counted, largest

TOOLS = {"e": 9, "é": 7, "b": 7, "a": 1, "c": 2}
COUNTED = """
select
    1 as bucket, 'viewed' as event_type, unnest(map_keys(t)) as tool_name, null as risk_mode, null as action,
    null as demo_mode, null::varchar as part, unnest(map_values(t)) as events, unnest(map_values(t)) as tool_uses
from (select ?::map(varchar, bigint) as t)
"""
NO_MEMBERS = "select 1 as bucket, null::varchar as part, '' as measure, 0 as amount limit 0"


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as made:
        yield made


@pytest.mark.parametrize("most", [None, 0, 1, 2, 3, 5, 6])
def test_only_the_largest_keys_are_named_and_nothing_is_lost(
    connection: duckdb.DuckDBPyConnection, most: int | None
) -> None:
    relations = {"counted": connection.sql(COUNTED, params=[TOOLS]), "members": connection.sql(NO_MEMBERS)}
    rows = rows_of(connection, "trend", given={"most": most, "whole": False, "parts": False}, **relations)
    counted = Counted([rows])
    named, _ = largest(TOOLS, len(TOOLS) if most is None else most)
    assert counted.keys("tool_name") == dict(named)
    assert counted.rest("tool_name") == sum(TOOLS.values()) - sum(dict(named).values())
    assert counted.value("tool_uses", 0) == counted.value("events", 0) == sum(TOOLS.values())
    assert counted.value("event_types", 0) == 1


@pytest.mark.parametrize("most", [None, 0, 2])
def test_keys_of_the_whole_are_named_and_those_of_buckets_are_not(
    connection: duckdb.DuckDBPyConnection, most: int | None
) -> None:
    first = connection.sql(COUNTED, params=[TOOLS])
    relations = {
        "counted": first.union(first.project("* replace (2 as bucket)")),
        "members": connection.sql(NO_MEMBERS),
    }
    counted = Counted([rows_of(connection, "trend", given={"most": most, "whole": True, "parts": False}, **relations)])
    named, _ = largest({tool: 2 * uses for tool, uses in TOOLS.items()}, len(TOOLS) if most is None else most)
    assert counted.keys("tool_name", WHOLE - 1) == dict(named)
    assert counted.rest("tool_name", WHOLE - 1) == 2 * sum(TOOLS.values()) - sum(dict(named).values())
    for bucket in (0, 1):
        assert (counted.keys("tool_name", bucket), counted.rest("tool_name", bucket)) == ({}, sum(TOOLS.values()))


@pytest.mark.parametrize(("bound", "most"), [("MOST_ROWS", 4), ("MOST_CHARACTERS", 12)])
def test_more_rows_than_fit_into_memory_are_refused(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch, bound: str, most: int
) -> None:
    monkeypatch.setattr(results, bound, most)
    monkeypatch.setattr(results, "ROWS_AT_A_TIME", 2)
    monkeypatch.setattr(results, "statement", lambda _: "select 'abc' as text from range($rows)")
    assert len(rows_of(connection, "any", given={"rows": 4})) == 4
    with pytest.raises(ReadTooLarge, match="memory"):
        rows_of(connection, "any", given={"rows": 5})
    assert len(rows_of(connection, "any", given={"rows": 4})) == 4
