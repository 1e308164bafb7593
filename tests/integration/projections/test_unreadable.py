"""A page, an index or a file that cannot be read damages the hours on it, and no other hour."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio

from projections.conservation import conservation
from projections.projector import catch_up, step
from projections.verify import UNREADABLE
from projections.witness import tell_witness
from sql.database import Database
from sql.errors import Unreadable
from sql.hourly import PROJECTION
from tests.conftest import Servers
from tests.support.due_hours import due
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.pages import Harm, damaged_copy, emptied, flipped, missing, overwritten
from tests.support.projection import fold, proofs
from tests.support.projections_command import run, text
from tests.support.servers import OWN_SERVER, connected
from tests.support.unreadable import FIRST, HOURS, LARGE, OTHER_DAY, SECOND, TABLE, THIRD, fill, middle_page, toast

pytestmark = pytest.mark.skipif(OWN_SERVER is not None, reason="needs the files of the server")
DAY = (FIRST, SECOND, THIRD, LARGE)
CLOSED = OTHER_DAY + timedelta(days=1)


class Case(NamedTuple):
    """What is harmed, how, and which hours that damages."""

    relation: str
    harm: Harm
    hours: tuple[datetime, ...]
    reason: str = "invalid page in block"
    checksums: bool = True


@pytest_asyncio.fixture
async def filled(database_url: str) -> str:
    await fill(database_url)
    return database_url


async def cases(url: str) -> dict[str, Case]:
    page, index, name = await middle_page(url), f"{TABLE}_pkey", f"{SECOND:%dT%H} 20"
    no_utf8 = overwritten(f"{name}0".encode(), name.encode() + b"\xff")
    another_id = overwritten(f"{name}0".encode(), f"{name}x".encode())
    return {
        "bytes of a page": Case(TABLE, flipped(page), (SECOND,)),
        "the header of a page": Case(TABLE, flipped(page, 0), (SECOND,)),
        "a page of large values": Case(await toast(url), flipped(0), (LARGE,)),
        "the first page of an index": Case(index, flipped(1), (FIRST,)),
        "the root of an index": Case(index, flipped(3), DAY),
        "no index": Case(index, missing, DAY, "could not open file"),
        "no table": Case(TABLE, missing, DAY, "could not open file"),
        "no page of a table": Case(TABLE, emptied, DAY, ""),
        "rollups": Case("hourly_counts", flipped(0), HOURS),
        "the ledger": Case("hour_ledger", flipped(0), HOURS),
        "text without a checksum": Case(TABLE, no_utf8, (SECOND,), "invalid byte sequence", checksums=False),
        "an id without a checksum": Case(TABLE, another_id, (SECOND,), "", checksums=False),
    }


async def test_only_the_hours_that_cannot_be_read_are_damaged(filled: str, subtests: pytest.Subtests) -> None:
    for name, case in (await cases(filled)).items():
        with subtests.test(name):
            harmed = damaged_copy(filled, case.relation, case.harm, checksums=case.checksums)
            async with harmed as url, opened(url) as database:
                found = await proofs(database)
                assert {proof.hour.start: proof.state for proof in found} == {
                    hour: "damaged" if hour in case.hours else "verified" for hour in HOURS
                }
                if case.reason:
                    wrong = [proof.differences for proof in found if proof.state == "damaged"]
                    assert {(each.field, case.reason in str(each.key)) for [each] in wrong} == {(UNREADABLE, True)}
                failed = await database.only(database.statements.count_failed_proofs)
                assert tuple(failed) == (0, len(case.hours), 0)
                assert [shard.shard for shard in await conservation(database)] == [0]


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    try:
        yield database
    finally:
        await database.close()


async def test_the_projector_goes_on_to_the_other_hours(filled: str) -> None:
    page = await middle_page(filled)
    async with damaged_copy(filled, TABLE, flipped(page)) as url, opened(url) as database:
        found = {hour: state for _, hour, state in await due(database, CLOSED)}
        assert found == {hour: "damaged" if hour == SECOND else "verified" for hour in HOURS}
        # It tries a damaged hour again only when the hour has changed.
        assert await due(database, CLOSED + HOUR) == []
        await append(database, [an_event(7, at=SECOND), an_event(8, at=FIRST)])
        await fold(database)
        assert sorted(await due(database, CLOSED + HOUR)) == [(0, FIRST, "verified"), (0, SECOND, "damaged")]


async def test_the_projector_tells_a_ledger_that_cannot_be_read(filled: str) -> None:
    async with damaged_copy(filled, "hour_ledger", flipped(0)) as url, opened(url) as database:
        assert {hour: state for _, hour, state in await due(database, CLOSED)} == dict.fromkeys(HOURS, "damaged")
        assert tuple(await database.only(database.statements.count_failed_proofs)) == (0, len(HOURS), 0)


@pytest.mark.versions("newest")
async def test_the_commands_name_the_hour(filled: str) -> None:
    page = await middle_page(filled)
    async with damaged_copy(filled, TABLE, flipped(page)) as url:
        verified = await run(url, "verify")
        hour, events, summary = verified.output.splitlines()
        assert (verified.code, verified.errors) == (1, "")
        assert hour.startswith(f"{text(SECOND)} shard 0: damaged: cannot be read: invalid page in block {page} of ")
        assert events.startswith("shard 0: damaged: its events cannot be counted: invalid page in block")
        assert summary == "verify: 5 hours, 1,601 events: 4 verified, 0 sealed, 0 drifted, 1 damaged, 0 broken: WRONG"
        as_json = json.loads((await run(url, "verify", "--json", "--from", text(SECOND))).output)
        (finding,) = as_json["findings"]
        assert (as_json["ok"], as_json["damaged"], as_json["verified"]) == (False, 1, 3)
        assert finding == {
            "hour": text(SECOND), "shard": 0, "class": "damaged", "field": "cannot be read", "bucket": text(SECOND),
            "key": finding["key"], "stored": "400", "recounted": "none",
        }  # fmt: skip
        refused = f"{text(SECOND)} shard 0: not rebuilt: raw events are damaged; see make verify"
        in_place = await run(url, "rebuild", "--from", text(FIRST), "--to", text(LARGE))
        assert (in_place.code, in_place.output.splitlines()) == (
            1,
            [refused, "rebuild of hourly: 3 hours, 1,200 events: 0 hours changed, 1 not rebuilt, 0 sealed"],
        )
        anew = await run(url, "rebuild")
        assert (anew.code, anew.output.splitlines()[0]) == (1, refused)
        assert "version 2 is live" in anew.output
        # The new version has the hour as the old one had it.
        async with opened(url) as database:
            counted = await database.rows(
                "select sum(events_00 + events_15 + events_30 + events_45) as events"
                " from hourly_counts where version = 2 and dimension = 'event_type' and hour = $1",
                SECOND,
            )
        assert counted[0]["events"] == 400


async def test_the_projector_folds_the_other_shards(servers: Servers, postgres_version: int) -> None:
    async with servers.new_database(postgres_version, shards=2) as url:
        async with opened(url) as database:
            for shard in (0, 1):
                events = [an_event(number, at=FIRST + number * timedelta(seconds=1)) for number in range(400)]
                await append(database, [event._replace(session_id=f"{shard}") for event in events], shard=shard)
        async with (
            damaged_copy(url, TABLE, flipped(0)) as harmed,
            opened(harmed) as database,
        ):
            with pytest.raises(Unreadable, match="invalid page"):
                await step(database)
            assert await catch_up(database) == 0
            checkpoints = await database.rows(database.statements.list_checkpoints, PROJECTION)
            assert [row["position"] for row in checkpoints] == [0, 400]


@pytest.mark.versions("newest")
async def test_what_operators_are_told_to_do_mends_an_index_and_rollups(filled: str) -> None:
    index = f"{TABLE}_pkey"
    async with damaged_copy(filled, index, flipped(3)) as url:
        async with connected(url) as connection:
            await connection.execute(f"reindex index concurrently {index}")
        assert (await run(url, "verify")).code == 0
    async with damaged_copy(filled, "hourly_counts", flipped(0)) as url:
        assert (await run(url, "rebuild")).code == 2
        async with connected(url) as connection:
            await connection.execute("set zero_damaged_pages = on")
            await connection.execute("vacuum full hourly_counts")
        assert "drifted" in (await run(url, "verify")).output
        assert (await run(url, "rebuild")).code == 0
        assert (await run(url, "verify")).code == 0


@pytest.mark.versions("newest")
async def test_a_ledger_that_cannot_be_read_is_told_with_and_without_a_witness(filled: str, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    async with opened(filled) as database:
        assert await tell_witness(database, witness)
    async with damaged_copy(filled, "hour_ledger", flipped(0)) as url:
        alone, witnessed = await run(url, "verify"), await run(url, "verify", HOURLEDGER_WITNESS=str(witness))
    assert (alone.code, witnessed.code) == (1, 1)
    assert alone.output.endswith(
        "verify: 5 hours, 0 events: 0 verified, 0 sealed, 0 drifted, 5 damaged, 0 broken: WRONG\n"
    )
    (told,) = set(witnessed.output.splitlines()) - set(alone.output.splitlines())
    assert told.startswith("shard 0: damaged: it cannot be read how far the log reaches, but it had reached 1,601")
