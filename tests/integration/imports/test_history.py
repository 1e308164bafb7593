"""`import --history` brings in what is older than the log takes: exactly, once, and day after day."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from projections.archive.kept_hours import KeptHours
from projections.conservation import conservation
from projections.hours import list_hours
from projections.projector import catch_up
from projections.verify import HourProof, verify
from service.archive.engine import SECONDS, Engine
from service.ingest.decoding import decode_event
from service.ingest.event import Event
from service.reports.raw_events import RawEvents
from sql.database import Database
from tests.support import funnel_oracle, oracle
from tests.support.archive import rows_of as rows_of_file
from tests.support.archive_questions import COMMAND, Ids
from tests.support.funnels import ask, funnels_on, in_range, same
from tests.support.history import STORED
from tests.support.imports import imported, rejected, run, start, write_lines
from tests.support.log import NOW
from tests.support.projection import MODES, START, folded
from tests.support.projections_command import Ended
from tests.support.reads import reads_on

DAY = timedelta(days=1)
# The log takes seven days; raw events are kept for a year, and rollups too.
YEAR = "update retention_in_force set log_days = 7, event_days = $1, rollup_days = $2"
KEPT = "select count(*) from archived_days"
# Days that left the log; those that are in it are read as rows.
FILES = """
select distinct h.file from archive_hours as h
where (h.hour at time zone 'UTC')::date in (select d.day from archived_days as d)
"""


@dataclass
class Site:
    """A log that takes events of the last seven days, and its archive."""

    url: str
    database: Database
    admin: asyncpg.Connection
    folder: Path

    async def bring(self, file: Path, *options: str) -> Ended:
        where = {"HOURLEDGER_ARCHIVE_DIR": str(self.folder / "archive"), "HOURLEDGER_DATA_DIR": str(self.folder)}
        return await run(self.url, "--history", *options, "--", file, **where)

    async def keep_for(self, event_days: int, rollup_days: int = 1_000) -> None:
        await self.admin.execute(YEAR, event_days, rollup_days)

    async def check(self, events: list[Event]) -> None:
        """Check the projection, its proofs, and that the log and the archive have these events and no others."""
        await catch_up(self.database)
        assert await folded(self.admin) == oracle.rows(events)
        found = await self.proofs()
        assert [proof for proof in found if proof.state not in {"verified", "sealed"}] == []
        assert sum(proof.events for proof in found) == len(events)
        assert [shard for shard in await conservation(self.database) if not shard.holds] == []
        assert await self.admin.fetch("select from opened_days") == []

    async def proofs(self) -> list[HourProof]:
        """Verify all hours."""
        hours = await list_hours(self.database, None, None)
        with KeptHours(self.folder / "archive") as kept:
            return [proof async for proof in verify(self.database, hours, kept)]

    async def raw(self) -> list[str]:
        """Return the ids of all raw events, as questions find them."""
        engine = Engine(self.url, self.folder / "archive", self.folder, command=COMMAND)
        try:
            return sorted(row["event_id"] for row in (await engine.ask(Ids())).rows)
        finally:
            await engine.close()

    async def check_funnel(self) -> None:
        """Check a funnel over all events, from rows and files, with what a plain program counts over both."""
        rows = [dict(row) for row in await self.admin.fetch("select * from events")]
        for file in {row["file"] for row in await self.admin.fetch(FILES)}:
            names = STORED.split(", ")
            rows += [dict(zip(names, row, strict=True)) for row in rows_of_file(self.folder / "archive", file, STORED)]
        steps = [{"event_type": "page_viewed"}, {"event_type": "risk_mode_changed"}, {"tool_name": "Home"}]
        asked = in_range({"steps": steps, "window_minutes": 10_080}, START - 60 * DAY, START + 3 * DAY)
        rows = [row for row in rows if START - 60 * DAY <= row["timestamp"] < START + 3 * DAY]
        raw_events = RawEvents(self.url, Engine(self.url, self.folder / "archive", self.folder), SECONDS)
        try:
            answer = await ask(funnels_on(reads_on(self.database, raw_events)), asked)
        finally:
            await raw_events.close()
        assert answer["source"] == "both"
        same(answer["steps"], funnel_oracle.steps(list(funnel_oracle.runs(rows, asked).values()), 3))


@pytest_asyncio.fixture
async def site(database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(database_url, database, admin, tmp_path)
    ended = await site.bring(write_lines(tmp_path / "first.ndjson", rows_of(5, 3)))
    assert ended.code == 0, ended
    await site.keep_for(365)
    yield site


def rows_of(count: int, days: int, *, first: int = 0, seed: int = 7) -> list[dict[str, object]]:
    """Return rows in random order, spread over the last days; sessions and users span days."""
    chance = random.Random(seed)
    return [
        {
            "event_id": f"evt_{number}",
            "event_type": chance.choice(["page_viewed", "risk_mode_changed"]),
            "session_id": f"s{chance.randrange(count // 5 + 1)}",
            "user_id": chance.choice(["u1", "u2", "u3"]),
            "tool_name": chance.choice(["Home", "Search"]),
            "timestamp": (NOW - chance.randrange(1, days * 96) * timedelta(minutes=15)).isoformat(),
            "properties": json.loads(chance.choice(MODES) or "{}"),
        }
        for number in range(first, first + count)
    ]


def events_of(rows: list[dict[str, object]]) -> list[Event]:
    return [decode_event(json.dumps(row).encode()) for row in rows]


FIRST = events_of(rows_of(5, 3))


async def test_two_thousand_events_of_sixty_days_come_in_once(site: Site, tmp_path: Path) -> None:
    rows = rows_of(2_000, 60, first=100)
    file = write_lines(tmp_path / "old.ndjson", rows)
    told = await site.bring(file, "--dry-run")
    assert "history: older than the log takes: " in told.output
    assert await site.admin.fetchval("select count(*) from amendments") == 0
    ended = await site.bring(file)
    assert ended.code == 0, ended
    assert ended.output.splitlines()[-1] == "import: read 2,000 = 2,000 stored + 0 duplicate + 0 rejected"
    events = [*FIRST, *events_of(rows)]
    await site.check(events)
    assert await site.raw() == sorted(event.event_id for event in events)
    await site.check_funnel()
    links = await site.admin.fetchval("select count(*) from amendments"), await site.admin.fetchval(KEPT)
    again = await site.bring(file)
    assert again.output.splitlines()[-1] == "import: read 2,000 = 0 stored + 2,000 duplicate + 0 rejected"
    assert (await site.admin.fetchval("select count(*) from amendments"), await site.admin.fetchval(KEPT)) == links
    await site.check(events)
    assert await site.raw() == sorted(event.event_id for event in events)


async def test_what_stays_is_up_to_the_retention(site: Site, tmp_path: Path) -> None:
    await site.keep_for(20, rollup_days=40)
    rows = rows_of(400, 60, first=100)
    file = write_lines(tmp_path / "old.ndjson", rows)
    today = datetime.now(UTC).date()
    age = {
        row["event_id"]: (today - event.timestamp.date()).days for row, event in zip(rows, events_of(rows), strict=True)
    }
    too_old = [name for name, days in age.items() if days > 40]
    only_rollups = [name for name, days in age.items() if 20 < days <= 40]
    raw = [name for name, days in age.items() if 7 < days <= 20]
    dry = await site.bring(file, "--dry-run")
    ended = await site.bring(file)
    assert dry.output.splitlines()[:-1] == ended.output.splitlines()[:-1]
    last = ended.output.splitlines()[-1]
    assert last.startswith(f"import: read 400 = {400 - len(too_old)} stored + 0 duplicate + {len(too_old)} rejected (")
    waiting = len(too_old) + len(only_rollups) + len(raw)
    assert dry.output.splitlines()[-1].endswith(
        f"{400 - waiting} to store + 0 duplicate + 0 rejected + {waiting} of history"
    )
    for count, what in ((raw, "keep their raw events, until"), (only_rollups, "keep only rollups")):
        assert any(
            line.startswith(f"history: {len(count)} rows of") and what in line for line in ended.output.splitlines()
        )
    assert any(
        f"history: {len(too_old)} rows of" in line and "cannot come in" in line for line in dry.output.splitlines()
    )
    assert ended.code == 1
    assert {(line["code"], line["field"]) for line in rejected(file)} == {("expired", "timestamp")}
    assert all("rollups of that time are past their retention of 40 days" in line["message"] for line in rejected(file))
    taken = [event for event in [*FIRST, *events_of(rows)] if event.event_id not in too_old]
    await site.check(taken)
    assert await site.raw() == sorted(event.event_id for event in taken if event.event_id not in only_rollups)


async def test_rows_before_a_day_that_is_gone_are_told(site: Site, tmp_path: Path) -> None:
    """A day without events that the import fills is gone no longer; one that it does not fill stays gone."""
    rows = rows_of(400, 60, first=100)
    today = datetime.now(UTC).date()
    gone, filled = today - 30 * DAY, today - 20 * DAY
    rows = [row for row, event in zip(rows, events_of(rows), strict=True) if event.timestamp.date() != gone]
    days = [event.timestamp.date() for event in events_of(rows)]
    for day, events in ((gone, 3), (filled, 0)):
        await site.admin.execute("insert into retired_days values (0, $1, $2, now())", day, events)
    file = write_lines(tmp_path / "old.ndjson", rows)
    before = [day for day in days if day < gone]
    told = (await site.bring(file, "--dry-run")).output
    assert filled in days
    assert (
        f"history: {len(before)} rows of {len(set(before))} days of these lie before {gone}, whose raw events are gone:"
        " only rollups show them, because answers about raw events begin after that day\n"
    ) in told
    ended = await site.bring(file)
    assert ended.code == 0, ended
    kept = await site.database.only(site.database.statements.read_kept, None)
    assert kept["events_since"].date() == gone + DAY


async def test_without_it_the_last_line_says_how(site: Site, tmp_path: Path) -> None:
    rows = rows_of(50, 60, first=100)
    file = write_lines(tmp_path / "old.ndjson", rows)
    oldest = datetime.now(UTC).date() - 7 * DAY
    late = sum(event.timestamp.date() < oldest for event in events_of(rows))
    ended = await run(site.url, "--", file)
    assert ended.code == 1
    assert ended.output.endswith(f"; --history brings in the {late} that are too old\n")


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
async def test_an_import_of_history_that_was_ended_is_run_again(
    site: Site, tmp_path: Path, end: signal.Signals
) -> None:
    rows = rows_of(600, 40, first=100)
    file = write_lines(tmp_path / "old.ndjson", rows)
    where = {"HOURLEDGER_ARCHIVE_DIR": str(tmp_path / "archive"), "HOURLEDGER_DATA_DIR": str(tmp_path)}
    process = await start(site.url, "--history", "--", file, **where)
    async with asyncio.timeout(60):
        while await site.admin.fetchval("select count(*) from amendments") < 3:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    second = await site.bring(file)
    assert second.code == 2
    assert "another import of history is under way" in second.errors
    process.send_signal(end)
    await process.communicate()
    async with asyncio.timeout(60):  # the process that opens days ends by itself
        while (ended := await site.bring(file)).code != 0:
            assert "another import of history is under way" in ended.errors
    events = [*FIRST, *events_of(rows)]
    await site.check(events)
    assert await site.raw() == sorted(event.event_id for event in events)


async def test_history_comes_in_beside_ingest_and_projector(site: Site, tmp_path: Path) -> None:
    """A projector folds, and others append today's events, while history comes in."""
    rows = rows_of(600, 40, first=100)
    file = write_lines(tmp_path / "old.ndjson", rows)
    bringing = asyncio.create_task(site.bring(file))
    appended, number = list(FIRST), 0
    while not bringing.done():
        today = rows_of(20, 2, first=10_000 + 20 * number, seed=number)
        assert (await imported(site.database, write_lines(tmp_path / "new.ndjson", today))).stored == 20
        await catch_up(site.database)
        found = await site.proofs()
        assert [proof for proof in found if proof.state not in {"verified", "sealed"}] == []
        appended += events_of(today)
        number += 1
    assert (await bringing).code == 0
    await site.check([*appended, *events_of(rows)])
