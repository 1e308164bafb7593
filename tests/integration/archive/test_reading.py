"""A question reads each event once: from a file whose hour is current there, else from the rows."""

from __future__ import annotations

import asyncio
import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from service.archive.engine import Engine
from service.archive.process import Answer
from service.errors import ArchiveDamaged
from service.ingest.event import Event
from sql.database import Database
from tests.support.archive_questions import COMMAND, Events, Ids, Overtaken, Standing
from tests.support.archived import archive
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR, start_of
from tests.support.sharded import Sharded

DAY = start_of(NOW, timedelta(days=1)) - timedelta(days=2)
HOURS = [DAY + number * HOUR for number in range(24)]


def in_hour(hour: int, number: int = 0, **more: Any) -> Event:
    """Return an event of an hour of the day; the numbers tell events apart."""
    return an_event(1_000 * hour + number, at=HOURS[hour] + timedelta(minutes=number), **more)


def ids(events: list[Event]) -> list[str]:
    return sorted(event.event_id for event in events)


async def asked(engine: Engine, since: datetime = DAY, until: datetime = HOURS[-1], **more: Any) -> Answer:
    return await engine.ask(Ids(since=since, until=until, **more))


def ids_of(answer: Answer) -> list[str]:
    return [row["event_id"] for row in answer.rows]


async def test_hours_are_read_from_files_while_they_are_current(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    events = [in_hour(hour, number) for hour in (1, 2, 3, 5) for number in range(3)]
    await append(database, events)
    answer = await asked(engine)
    assert (ids_of(answer), answer.source) == (ids(events), "events")

    await archive(database, admin, archive_folder, HOURS[1:3])
    answer = await asked(engine)
    assert (ids_of(answer), answer.source) == (ids(events), "both")
    answer = await asked(engine, until=HOURS[3])
    assert (ids_of(answer), answer.source) == (ids(events[:6]), "archive")

    # Files alone, to be sure that they were read: their rows vanish without a witness.
    await admin.execute("delete from events where timestamp < $1", HOURS[3])
    answer = await asked(engine)
    assert (ids_of(answer), answer.source) == (ids(events), "both")
    assert set(answer.seconds) == {"snapshot", "files", "rows", "query"}


async def test_a_late_event_makes_its_hour_rows_again(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    events = [in_hour(hour, number) for hour in range(6) for number in range(3)]
    await append(database, events)
    await archive(database, admin, archive_folder, HOURS[:6])
    await admin.execute("delete from events where timestamp < $1 or timestamp >= $2", HOURS[2], HOURS[4])
    late = [in_hour(2, 30), in_hour(3, 31)]
    await append(database, late)
    answer = await asked(engine)
    assert (ids_of(answer), answer.source) == (ids(events + late), "both")
    # An hour of the file that another file holds now, and one that is nowhere but in the first file.
    await archive(database, admin, archive_folder, [HOURS[2]])
    await admin.execute("delete from events where timestamp < $1", HOURS[3])
    answer = await asked(engine)
    assert (ids_of(answer), answer.source) == (ids(events + late), "both")


@pytest.mark.parametrize("minutes", [0, 15, 45])
async def test_a_range_cuts_hours_of_files_and_of_rows(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path, minutes: int
) -> None:
    events = [in_hour(hour, number) for hour in range(1, 5) for number in (0, 14, 15, 44, 45, 59)]
    await append(database, events)
    await archive(database, admin, archive_folder, HOURS[1:3])
    for first, last in ((1, 2), (1, 4), (2, 3), (3, 4), (0, 1)):
        since, until = (HOURS[hour] + timedelta(minutes=minutes) for hour in (first, last))
        answer = await asked(engine, since, until)
        assert ids_of(answer) == ids([event for event in events if since <= event.timestamp < until])


async def test_values_come_as_they_are_stored(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    texts = [
        None,
        "{}",
        '{"a": "x,y\\"z\\n"}',
        '{"": null}',
        '{"n": 123456789012345678901234567890.5}',
        '{"é": "\\u2028"}',
    ]
    await append(database, [in_hour(1, number, properties=text) for number, text in enumerate(texts)])
    rows = await engine.ask(Events(since=DAY, until=HOURS[2]))
    expected = await admin.fetch(
        "select event_id, left(encode(sha256(session_id::bytea), 'hex'), 32)::uuid::text as session,"
        " properties::text from events order by event_id"
    )
    assert rows.rows == [dict(row) for row in expected]
    await archive(database, admin, archive_folder, HOURS[1:2])
    files = await engine.ask(Events(since=DAY, until=HOURS[2]))
    assert (files.rows, files.source) == (rows.rows, "archive")


async def test_rows_are_copied_only_with_the_values_asked_for(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    odd = "u'; \n-- \" $1 \\"
    events = [in_hour(1, number, user=user) for number, user in enumerate((odd, "another", odd, ""))]
    await append(database, events)
    answer = await asked(engine, user_id=odd)
    assert ids_of(answer) == ids([events[0], events[2]])


async def test_shards_have_files_and_gaps_of_their_own(sharded: Sharded, tmp_path: Path, archive_folder: Path) -> None:
    events = [in_hour(hour, number, session=f"s{number}") for hour in range(1, 4) for number in range(20)]
    engine = Engine(sharded.url, archive_folder, tmp_path, command=COMMAND)
    try:
        for shard in range(sharded.shards):
            of_shard = sharded.of_shard(shard, events)
            await append(sharded.database, of_shard, shard=shard)
            if shard % 2 == 0 and of_shard:
                hours = [hour for hour in HOURS[1:3] if any(hour <= each.timestamp < hour + HOUR for each in of_shard)]
                await archive(sharded.database, sharded.admin, archive_folder, hours, shard=shard)
        answer = await asked(engine)
        assert (ids_of(answer), answer.source) == (ids(events), "both")
        stands = await engine.ask(Standing(since=DAY, until=HOURS[1]))
        heads = [len(sharded.of_shard(shard, events)) for shard in range(sharded.shards)]
        assert [(row["measure"], row["amount"]) for row in stands.rows] == [
            (measure, head) for head in heads for measure in ("position", "lag_events")
        ]
    finally:
        await engine.close()


def cut(place: Path) -> None:
    os.truncate(place, place.stat().st_size - 1)


def flip(place: Path) -> None:
    content = bytearray(place.read_bytes())
    content[len(content) // 2] ^= 1
    place.write_bytes(content)


def swap(place: Path) -> None:
    """Put other content of the same size in its place, with the time of the former."""
    before = place.stat()
    place.unlink()
    place.write_bytes(bytes(before.st_size))
    os.utime(place, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("damage", [Path.unlink, cut, flip, swap])
@pytest.mark.parametrize("read_before", [False, True])
async def test_a_wrong_file_is_not_read_and_its_hours_are_read_as_rows(
    database: Database,
    admin: asyncpg.Connection,
    engine: Engine,
    archive_folder: Path,
    damage: Any,
    *,
    read_before: bool,
) -> None:
    events = [in_hour(hour, number) for hour in (1, 2, 3) for number in range(3)]
    await append(database, events)
    wrong = await archive(database, admin, archive_folder, HOURS[1:2])
    await archive(database, admin, archive_folder, HOURS[2:3])
    if read_before:
        assert (await asked(engine)).wrong == []
    damage(wrong)
    for _ in range(2):
        answer = await asked(engine)
        assert (ids_of(answer), answer.source) == (ids(events), "both")
        assert answer.wrong == [str(wrong.relative_to(archive_folder))]


async def test_a_file_that_vanishes_while_it_is_read_is_replaced_by_rows(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    events = [in_hour(hour, number) for hour in (1, 2, 3) for number in range(3)]
    await append(database, events)
    gone = await archive(database, admin, archive_folder, HOURS[1:2])
    await archive(database, admin, archive_folder, HOURS[2:3])
    answer = await engine.ask(Overtaken(since=DAY, until=HOURS[4], file=str(gone)))
    assert (ids_of(answer), answer.source) == (ids(events), "both")
    assert answer.wrong == [str(gone.relative_to(archive_folder))]


async def test_answers_are_of_one_moment_while_events_come_and_hours_are_archived(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    begun: list[str] = []
    stored: list[str] = []

    async def write() -> None:
        for number in range(40):
            events = [in_hour(hour, number) for hour in (1, 2, 1 + number % 5)]
            begun.extend(ids(events))
            await append(database, events)
            stored.extend(ids(events))
            if number % 3 == 0:
                await archive(database, admin, archive_folder, HOURS[1 : 2 + number % 2])

    async def read() -> None:
        while not writing.done():
            before = set(stored)
            found = ids_of(await asked(engine))
            assert before <= set(found) <= set(begun)
            assert len(found) == len(set(found))

    writing = asyncio.create_task(write())
    await asyncio.gather(writing, read(), read())
    assert ids_of(await asked(engine)) == sorted(set(stored))


async def test_a_file_that_is_known_as_damaged_is_not_read(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    events = [in_hour(hour) for hour in (1, 2)]
    await append(database, events)
    await archive(database, admin, archive_folder, HOURS[1:3])
    await admin.execute("update archive_files set damage = 'its digest is another'")
    answer = await asked(engine)
    assert (ids_of(answer), answer.source, answer.wrong) == (ids(events), "events", [])


async def test_a_wrong_file_whose_rows_are_gone_is_named(
    database: Database, admin: asyncpg.Connection, engine: Engine, archive_folder: Path
) -> None:
    await append(database, [in_hour(hour) for hour in (1, 2)])
    place = await archive(database, admin, archive_folder, HOURS[1:3])
    await admin.execute(f"drop table events_{DAY:%Y%m%d}")
    assert ids_of(await asked(engine)) == ["evt_1000", "evt_2000"]
    place.unlink()
    with pytest.raises(ArchiveDamaged) as error:
        await asked(engine)
    assert place.name in error.value.message
    assert f"{DAY:%Y-%m-%d}" in error.value.message
    # Retention took the day, so that nobody misses it.
    await admin.execute("insert into retired_days values (0, $1, 2, now())", DAY.date())
    assert ids_of(await asked(engine)) == []
