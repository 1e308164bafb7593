"""A disk that damages pages, and one that loses the end of the write-ahead log although it said that it was written.

Damage and loss are real. Hours that lose events must be told, by verify or by the witness; events of hours that are not
told count as lost. Hours that are told although they are whole are false alarms.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from pathlib import Path

from projections.hours import list_hours
from projections.log_heads import changed_hours, losses
from projections.projector import catch_up
from projections.verify import verify
from projections.witness import read_witness, tell_witness
from service.ingest.event import Event
from sql.database import Database
from sql.embedded.share import EmbeddedServer, ensure_running
from sql.hourly import DAMAGED
from tests.conftest import execute
from tests.faults.table.ground import SECONDS, Ground
from tests.support.embedded import kill_all
from tests.support.oracle import HOUR, start_of
from tests.support.pages import damaged_copy, flipped
from tests.support.servers import connected

# Every page of the log's days, and the hours with events on it.
PAGES = """
select tableoid::regclass::text as day, (ctid::text::point)[0]::integer as page, array_agg(distinct hour_of(timestamp))
from events
group by 1, 2
order by 1, 2
"""
END_OF_WAL = """
select current_setting('data_directory') as folder, w.file_name as file, w.file_offset as place
from pg_walfile_name_offset(pg_current_wal_insert_lsn()) as w
"""
# Pages that were changed after the end must not be on disk, as they would not be without the WAL for them.
NOTHING_EARLY = "alter system set bgwriter_lru_maxpages = 0"


async def damage_pages(ground: Ground) -> None:
    """Damage one page of a copy of the log after another, and verify the copy."""
    for number in range(ground.trial.faults):
        await ground.append()
        await catch_up(ground.database)
        async with connected(ground.url) as connection:
            pages = await connection.fetch(PAGES)
        day, page, hours = pages[number * 7 % len(pages)]
        await ground.database.close()  # nobody may be connected to a database that is copied
        async with damaged_copy(ground.url, day, flipped(page)) as url:
            told = await _damaged(url)
        ground.database = Database(ground.url, statement_seconds=SECONDS)
        ground.row.lost += len(set(hours) - told)
        ground.row.false_alarms += len(told - set(hours))
        ground.row.faults += 1


async def _damaged(url: str) -> set[datetime]:
    database = Database(url)
    try:
        proofs = [proof async for proof in verify(database, await list_hours(database, None, None))]
    finally:
        await database.close()
    return {proof.hour.start for proof in proofs if proof.state == DAMAGED}


async def lose_end_of_wal(ground: Ground) -> None:
    """Kill PostgreSQL and cut its WAL behind the witness; ask the witness before and after more was appended."""
    place = ground.folder / "witness"
    await execute(ground.server.database_url("postgres"), NOTHING_EARLY, "select pg_reload_conf()")
    for _ in range(ground.trial.faults):
        await ground.append()
        async with connected(ground.url) as connection:
            await connection.execute("checkpoint")
            (end,) = await connection.fetch(END_OF_WAL)
        _, events = await ground.store()
        if not await tell_witness(ground.database, place):
            ground.row.false_alarms += 1
        await asyncio.to_thread(_cut_wal, ground.server, Path(end["folder"], "pg_wal", end["file"]), end["place"])
        await _count_untold(ground, place, events)
        # The log may have gone on before anyone asks.
        await ground.append()
        await ground.append()
        await _count_untold(ground, place, events)
        place.unlink()
        ground.row.faults += 1
    await execute(
        ground.server.database_url("postgres"), "alter system reset bgwriter_lru_maxpages", "select pg_reload_conf()"
    )


def _cut_wal(server: EmbeddedServer, file: Path, offset: int) -> None:
    kill_all(server)
    for later in file.parent.iterdir():
        if later.is_file() and later.name > file.name:
            later.unlink()
    with file.open("r+b") as segment:
        segment.seek(offset)
        segment.write(bytes(file.stat().st_size - offset))
    ensure_running(server)


async def _count_untold(ground: Ground, place: Path, events: list[Event]) -> None:
    known = await read_witness(ground.database, place)
    told = await losses(ground.database, known)
    proofs = [proof async for proof in verify(ground.database, await changed_hours(ground.database, known))]
    hours = {proof.hour.start for proof in proofs if proof.state == DAMAGED}
    lost = [event for event in events if event.event_id not in ground.acked]
    untold = [event for event in lost if not told or start_of(event.timestamp, HOUR) not in hours]
    ground.row.lost += len(untold)
    ground.row.false_alarms += len(hours - {start_of(event.timestamp, HOUR) for event in lost})
