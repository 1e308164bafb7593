"""`python -m projections rebuild`, `rollback` and `drop-old` of whole versions, as processes; some are killed."""

from __future__ import annotations

import asyncio
import os
import sys

import asyncpg
import pytest

from projections import versions
from projections.hours import list_hours
from projections.projector import catch_up
from projections.retention import retain
from sql.database import Database
from sql.retention import Retention
from tests.support import oracle
from tests.support.alterations import EVENTS, LAST, fill
from tests.support.log import append, until_waited_for
from tests.support.oracle import HOUR
from tests.support.projection import START, fresh, random_events
from tests.support.projections_command import ROOT, Ended, run, text

# Output of commands does not depend on the server's version.
pytestmark = pytest.mark.versions("newest")

UNTIL = START + 12 * HOUR


def rebuilt(version: int, former: int, *, hours: int = 3, events: int = 6, sealed: int = 0, refused: int = 0) -> str:
    carried = f"{sealed} sealed hour{'s' * (sealed != 1)} carried over"
    return (
        f"rebuild of hourly: {hours} hours, {events} events: version {version} is live, {carried},"
        f" {refused} not rebuilt; version {former} stays:"
        " `.venv/bin/python -m projections rollback` makes it live again,"
        " `.venv/bin/python -m projections drop-old` drops it\n"
    )


async def test_a_rebuild_can_be_taken_back_until_the_old_version_is_dropped(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await fill(database)
    nothing = Ended(2, "", "error: there is no other version to go back to\n")
    assert await run(database_url, "rollback") == nothing
    assert await run(database_url, "drop-old") == Ended(0, "drop-old of hourly: 0 versions dropped\n", "")
    assert await run(database_url, "rebuild") == Ended(0, rebuilt(2, 1), "")
    assert await run(database_url, "rollback") == Ended(0, "rollback of hourly: version 1 is live, version 2 was\n", "")
    assert await run(database_url, "rebuild") == Ended(0, rebuilt(3, 1), "")
    status = await run(database_url, "status")
    assert [line.partition(" shard")[0] for line in status.output.splitlines()[:-1]] == [
        "hourly version 1 (complete)",
        "hourly version 3 (live)",
    ]
    assert await run(database_url, "drop-old") == Ended(0, "drop-old of hourly: 1 version dropped\n", "")
    assert await run(database_url, "rollback") == nothing
    assert await fresh(database, START, UNTIL) == oracle.fresh(EVENTS, START, UNTIL)


async def test_damaged_and_sealed_hours_are_told(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await fill(database)
    later = [event._replace(event_id=f"2_{event.event_id}", timestamp=event.timestamp + 24 * HOUR) for event in EVENTS]
    await append(database, later)
    await catch_up(database)
    [day async for day in retain(database, Retention(2, 90, 2))]
    hours = await list_hours(database, None, None)
    clean = await run(database_url, "rebuild")
    sealed = int(clean.output.partition("is live, ")[2].partition(" ")[0])
    assert clean == Ended(0, rebuilt(2, 1, hours=6, events=12, sealed=sealed), "")
    assert 1 <= sealed <= 3
    await admin.execute("delete from events where event_id = '2_evt_5'")
    await admin.execute("update hourly_counts set events_00 = 9 where hour = $1", START)
    told = await run(database_url, "rebuild")
    assert (told.code, told.output) == (
        1,
        f"{text(hours[0].start)} shard 0: not rebuilt: what was sealed is broken; see make verify\n"
        f"{text(LAST + 24 * HOUR)} shard 0: not rebuilt: raw events are damaged; see make verify\n"
        + rebuilt(3, 2, hours=6, events=12, sealed=sealed - 1, refused=2),
    )
    verified = await run(database_url, "verify")
    found = f"{5 - sealed} verified, {sealed - 1} sealed, 0 drifted, 1 damaged, 1 broken"
    assert (verified.code, verified.output.splitlines()[-1]) == (1, f"verify: 6 hours, 12 events: {found}: WRONG")


async def test_a_drifted_new_version_is_an_error_and_reads_are_as_before(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await fill(database)
    version = await versions.begin(database)
    async for _ in versions.fill(database, version):
        pass
    await admin.execute("update hourly_counts set events_00 = events_00 + 1 where version = 2 and hour = $1", START)
    assert await run(database_url, "rebuild") == Ended(2, "", "error: 1 hour of version 2 is drifted; it was dropped\n")
    assert await fresh(database, START, UNTIL) == oracle.fresh(EVENTS, START, UNTIL)
    assert await run(database_url, "rebuild") == Ended(0, rebuilt(3, 1), "")


# Locks that block a rebuild at the last hour of each stage.
WAITS = {
    "filling": "insert into hourly_fills (shard, version, hour) values (0, 2, {last})",
    "connecting": "lock table hourly_edges in share row exclusive mode",
    "proving": "insert into hour_proofs values (0, 'hourly', 2, {last}, 'verified', 0, 0, 0, clock_timestamp())",
}


async def kill_where_it_waits(url: str, hindrance: str) -> None:
    """Run a rebuild, and kill it with SIGKILL inside the transaction that the hindrance blocks."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HOURLEDGER_")}
    holder = await asyncpg.connect(url)
    try:
        await holder.execute("begin;" + hindrance.format(last=f"timestamptz '{UNTIL - HOUR:%Y-%m-%d %H:%M}+00'"))
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "projections", "rebuild"), env=environment | {"DATABASE_URL": url}, cwd=ROOT
        )
        await until_waited_for(holder)
        process.kill()
        await process.wait()
    finally:
        await holder.close()


async def test_a_killed_rebuild_goes_on_where_it_ended(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    events = random_events(1, 200, hours=12)
    await append(database, events)
    await catch_up(database)
    expected = oracle.fresh(dict.fromkeys(event for event in events), START, UNTIL)
    filled = []
    for hindrance in WAITS.values():
        await kill_where_it_waits(database_url, hindrance)
        assert await fresh(database, START, UNTIL) == expected
        filled.append(await admin.fetchval("select count(*) from hourly_fills where version = 2"))
    # The hour before the last may still have been under way.
    assert filled[0] in (10, 11)
    assert filled[1:] == [12, 12]
    done = await run(database_url, "rebuild")
    assert done == Ended(0, rebuilt(2, 1, hours=12, events=200), "")
    assert await fresh(database, START, UNTIL) == expected
    assert (await run(database_url, "verify")).code == 0
