"""A dump under write load with a backlog: the restored database goes on exactly where the dump was taken."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from projections.projector import catch_up, tidy
from projections.retention import retain
from projections.seals import seal_heads
from projections.undrop import undrop
from service.ingest.event import Event
from service.operations.backup import DUMP, RESTORE
from sql.database import Database
from sql.days import make_days
from sql.embedded.accounts import account_of
from sql.embedded.binaries import binaries
from sql.errors import Refused
from sql.hourly import SEALED, VERIFIED
from sql.migrate import migrate
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support import oracle
from tests.support.log import NOW, an_event, append, stored
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import MODES, PLACES, START, fold, folded, fresh, proofs, random_events

WRITERS = 2
HOURS = 6
FOLDED = 200
BACKLOG = 400
PLAIN = ("pg_dump", "--format=plain", "--no-privileges")
PSQL = ("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")
FORMATS = [pytest.param(PLAIN, PSQL, id="plain"), pytest.param(DUMP, RESTORE, id="custom")]


def program(name: str, version: int) -> Path:
    """Return a client program of the wheel."""
    return binaries(Path(tempfile.gettempdir()), version, account_of(os.geteuid())) / name


async def run(version: int, name: str, *options: str, url: str, reads: Path | None = None) -> bytes:
    """Run a client program to its end; return what it prints."""
    with (reads or Path(os.devnull)).open("rb") as given:
        command = [str(program(name, version)), *options, f"--dbname={url}"]
        process = await asyncio.create_subprocess_exec(
            *command, stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        output, errors = await process.communicate()
    assert (process.returncode, errors) == (0, b"")
    return output


@dataclass
class Load:
    """Appenders that run until `stopped`: they send late events, events on borders of quarters, and repeats."""

    sent: dict[str, Event] = field(default_factory=dict)
    acked: set[str] = field(default_factory=set)
    stopped: bool = False

    _appended: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def write(self, database: Database, writer: int) -> None:
        chance = random.Random(writer)
        numbers = count(writer, WRITERS)
        while not self.stopped:
            batch = [some_event(chance, next(numbers)) for _ in range(chance.choice([1, 2, 7, 30]))]
            batch.append(chance.choice(batch))
            self.sent |= {event.event_id: event for event in batch}
            await append(database, batch)
            self.acked |= {event.event_id for event in batch}
            async with self._appended:
                self._appended.notify_all()

    async def reaches(self, acked: int) -> None:
        """Return once `acked` events are acked. Raises TimeoutError after a minute."""
        async with asyncio.timeout(60), self._appended:
            await self._appended.wait_for(lambda: len(self.acked) >= acked)


def some_event(chance: random.Random, number: int) -> Event:
    at = START + chance.randrange(HOURS * 4) * QUARTER + chance.choice(PLACES)
    kind = chance.choice(["page_viewed", "risk_mode_changed"])
    return an_event(number, at=at, session=f"s{chance.randrange(20)}", kind=kind, properties=chance.choice(MODES))


@asynccontextmanager
async def loaded(database: Database) -> AsyncIterator[Load]:
    """Run a load during the block."""
    load = Load()
    writers = [asyncio.ensure_future(load.write(database, writer)) for writer in range(WRITERS)]
    try:
        yield load
    finally:
        load.stopped = True
        await asyncio.gather(*writers)


async def checkpoint(database: Database) -> tuple[int, int]:
    """Return the checkpoint and the head of the only shard."""
    (row,) = await database.rows(database.statements.list_checkpoints, "hourly")
    return row["position"], row["head"]


async def schema_of(url: str, version: int) -> list[bytes]:
    """Return the definitions of a database, without the random `restrict` lines that newer pg_dump programs write."""
    # A restore brings no privileges, because the server may lack the role; the next migrate grants them anew.
    lines = (await run(version, "pg_dump", "--schema-only", "--no-privileges", url=url)).splitlines()
    return [line for line in lines if not line.startswith((b"\\restrict", b"\\unrestrict"))]


@pytest.mark.parametrize(("dump", "restore"), FORMATS)
async def test_a_dump_in_the_middle_of_a_backlog_is_restored_and_goes_on_exactly(
    database: Database, database_url: str, empty_database_url: str, postgres_version: int, tmp_path: Path,
    dump: Sequence[str], restore: Sequence[str],
) -> None:  # fmt: skip
    file = tmp_path / "backup"
    async with loaded(database) as load:
        await load.reaches(FOLDED)
        await fold(database)
        await tidy(database, RETENTION_DAYS)
        done, _ = await checkpoint(database)
        await load.reaches(len(load.acked) + BACKLOG)
        acked_before = set(load.acked)
        await run(postgres_version, *dump, f"--file={file}", url=database_url)
        await load.reaches(len(load.acked) + 1)
        acked_meanwhile = load.acked - acked_before
    assert acked_meanwhile
    await run(postgres_version, *restore, url=empty_database_url, reads=file)

    assert await schema_of(empty_database_url, postgres_version) == await schema_of(database_url, postgres_version)
    restored = Database(empty_database_url)
    try:
        assert await migrate(empty_database_url) == []
        ((for_everybody,),) = await restored.rows("select has_function_privilege('public', 'bi_proofs()', 'execute')")
        assert not for_everybody
        rows = await stored(empty_database_url)
        position, head = await checkpoint(restored)
        assert (position, len(rows)) == (done, len({row["event_id"] for row in rows}))
        assert head - position > BACKLOG
        assert rows == [row for row in await stored(database_url) if row["position"] <= head]
        assert acked_before <= {row["event_id"] for row in rows}
        await assert_it_goes_on(restored, empty_database_url, load)
    finally:
        await restored.close()


async def assert_it_goes_on(restored: Database, url: str, load: Load) -> None:
    """Assert that reads, folds and verify work, and that sending everything again leaves each event once."""
    position, head = await checkpoint(restored)
    held = [load.sent[row["event_id"]] for row in await stored(url)]
    until = START + HOURS * HOUR
    assert await fresh(restored, START, until) == oracle.fresh(held, START, until)
    assert await catch_up(restored) == head - position
    await assert_all_is_right(restored, url, held)

    ids = {event.event_id for event in held}
    again = list(load.sent.values())
    repeated = {place: "duplicate" for place, event in enumerate(again) if event.event_id in ids}
    assert await append(restored, again) == repeated
    assert await append(restored, again) == dict.fromkeys(range(len(again)), "duplicate")
    await catch_up(restored)
    await tidy(restored, RETENTION_DAYS)
    await assert_all_is_right(restored, url, again)


async def assert_all_is_right(restored: Database, url: str, held: Sequence[Event]) -> None:
    connection = await asyncpg.connect(url)
    try:
        assert await folded(connection) == oracle.rows(held)
    finally:
        await connection.close()
    found = await proofs(restored)
    assert {proof.state for proof in found} == {VERIFIED}
    assert sum(proof.events for proof in found) == len(held)


@pytest.mark.parametrize(("dump", "restore"), FORMATS)
async def test_a_restored_log_is_append_only_and_gets_new_days(
    database: Database, database_url: str, empty_database_url: str, postgres_version: int, tmp_path: Path,
    dump: Sequence[str], restore: Sequence[str],
) -> None:  # fmt: skip
    await append(database, [an_event(1)])
    file = tmp_path / "backup"
    await run(postgres_version, *dump, f"--file={file}", url=database_url)
    await run(postgres_version, *restore, url=empty_database_url, reads=file)
    restored = Database(empty_database_url)
    try:
        later = NOW + timedelta(days=14)
        assert await make_days(restored, RETENTION_DAYS, later) == 4
        assert await append(restored, [an_event(2, at=later)], clock=later) == {}
        for table in ("events", f"events_{NOW:%Y%m%d}", f"events_{later:%Y%m%d}"):
            for change in ("update {} set action = 'x'", "delete from {}", "truncate {}"):
                with pytest.raises(Refused, match="the log is append-only"):
                    await restored.rows(change.format(table))
        assert [row["event_id"] for row in await stored(empty_database_url)] == ["evt_1", "evt_2"]
    finally:
        await restored.close()


@pytest.mark.parametrize(("dump", "restore"), FORMATS)
async def test_sealed_hours_are_restored_with_their_chain(
    database: Database, database_url: str, empty_database_url: str, postgres_version: int, tmp_path: Path,
    dump: Sequence[str], restore: Sequence[str],
) -> None:  # fmt: skip
    await append(database, [*random_events(3, 40), an_event(1_000)])
    await catch_up(database)
    assert len([day async for day in retain(database, Retention(1, 30, 1)) if day.events]) > 0
    heads, found = await seal_heads(database), await proofs(database)
    assert {proof.state for proof in found} == {SEALED, VERIFIED}
    file = tmp_path / "backup"
    await run(postgres_version, *dump, f"--file={file}", url=database_url)
    await run(postgres_version, *restore, url=empty_database_url, reads=file)
    restored = Database(empty_database_url)
    try:
        assert (await seal_heads(restored), await proofs(restored)) == (heads, found)
        # Days that had left the log come back from the backup, too.
        assert {day.wrong async for day in undrop(restored)} == {0}
        assert {proof.state for proof in await proofs(restored)} == {VERIFIED}
        assert len(await stored(empty_database_url)) == 41
    finally:
        await restored.close()
