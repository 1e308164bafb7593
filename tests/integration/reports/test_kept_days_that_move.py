"""Days that leave the rows while lists are read, files of kept days that are damaged, and pages that end early."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from service.reports.event_pages import MOST_BYTES
from service.reports.kept_range import KeptRange
from tests.conftest import Servers
from tests.support.kept_events import (
    STORED,
    archive_all,
    bytes_of,
    events_of,
    hard_events,
    keep,
    large_events,
    query_of,
    ranged,
    told,
)
from tests.support.reads import reads, refused
from tests.support.retired_days import day, fill
from tests.support.sharded import sharded_log

pytestmark = pytest.mark.versions("newest")


async def test_a_day_that_leaves_the_rows_between_two_pages_is_on_both_sides_once(
    servers: Servers, postgres_version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with sharded_log(servers, postgres_version, 1) as sharded:
        await fill(sharded, hard_events(1))
        await archive_all(sharded, tmp_path)
        expected = [told(dict(row)) for row in await sharded.admin.fetch(STORED)][::-1]
        async with reads(sharded.database, sharded.url, archive=tmp_path) as asked:
            answers = [await asked.event_list.page(f"{ranged(day(0), day(11))}&limit=60".encode())]
            # The last event of this page is on day 3, which leaves now; then while the next page is read, too.
            await keep(sharded, 2, tmp_path)
            of = KeptRange.of

            async def overtaken(*args: Any) -> KeptRange:
                kept = await of(*args)
                await keep(sharded, 3, tmp_path)
                return kept

            monkeypatch.setattr(KeptRange, "of", overtaken)
            while (cursor := answers[-1]["next_cursor"]) is not None:
                answers.append(await asked.event_list.page(f"cursor={cursor}&limit=40".encode()))
            assert bytes_of(events_of(answers)) == bytes_of(expected)
            assert {answer["total_in_range"] for answer in answers} == {len(expected)}


async def test_a_damaged_file_of_a_kept_day_is_named_and_no_list_is_short(
    servers: Servers, postgres_version: int, tmp_path: Path
) -> None:
    async with sharded_log(servers, postgres_version, 1) as sharded:
        await fill(sharded, hard_events(1))
        await archive_all(sharded, tmp_path)
        await keep(sharded, 1, tmp_path)
        await asyncio.to_thread(lose, tmp_path)
        async with reads(sharded.database, sharded.url, archive=tmp_path) as asked:
            query = ranged(day(0), day(1)).encode()
            asks = [
                asked.event_list.page(query),
                asked.event_list.page(query + b"&tool_name=Home"),
                asked.timelines.session("s1", query),
                asked.timelines.user("u1", query),
            ]
            assert [(await refused(ask)).code for ask in asks] == ["archive_damaged"] * len(asks)


async def test_pages_of_large_events_end_early(servers: Servers, postgres_version: int, tmp_path: Path) -> None:
    async with sharded_log(servers, postgres_version, 1) as sharded:
        await fill(sharded, large_events())
        await archive_all(sharded, tmp_path / "archive")
        await keep(sharded, 3, tmp_path / "archive")
        async with reads(sharded.database, sharded.url, archive=tmp_path / "archive") as asked:
            for query in (ranged(day(0), day(2)), f"{ranged(day(0), day(2))}&session_id=s0"):
                answers = [await asked.event_list.page(query.encode())]
                answers.append(
                    await asked.event_list.page(f"{query_of(query)}cursor={answers[0]['next_cursor']}".encode())
                )
                assert [size_of(answer) <= MOST_BYTES for answer in answers] == [True, True]
                assert answers[1]["next_cursor"] is None
                found = [event["event_id"] for event in events_of(answers)]
                assert found == sorted((event.event_id for event in large_events()), reverse=True)


def size_of(answer: dict[str, Any]) -> int:
    return sum(len(bytes(event["properties"])) for event in answer["events"])


def lose(archive: Path) -> None:
    """Delete a file of day 0."""
    (file,) = archive.rglob(f"day={day(0):%Y-%m-%d}/*T07*")
    file.unlink()
