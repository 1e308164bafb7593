"""The document of a verified hour: what it holds, and which change of its hour ends it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import asyncpg
import pytest

from projections.due_hours import PATIENCE
from projections.hours import list_hours
from projections.rebuild import rebuild
from projections.verify import verify_hour
from sql.database import Database
from sql.hourly import DRIFTED, VERIFIED
from tests.support.due_hours import CLOSED, LAST, MINUTE, NEXT, document, documents, due
from tests.support.log import an_event, append, until_waited_for
from tests.support.projection import START, fold


async def test_documents_hold_any_key(database: Database, admin: asyncpg.Connection) -> None:
    odd = [
        '"',
        "\\",
        "/",
        "\x7f",
        "\x01\n\t\b\f\r",
        "é\u2028😀",
        "__proto__",
        "a b",
        " ",
        "<script>",
        "٣",
        "ﬁ",
        "Z",
        "a",
    ]
    events = [
        an_event(number, at=START, kind=kind, tool=odd[number // 2], session=kind) for number, kind in enumerate(odd)
    ]
    events.append(an_event(99, at=START, kind="risk_mode_changed", properties=json.dumps({"risk_mode": odd[4]})))
    await append(database, events)
    await fold(database)
    assert await due(database, CLOSED) == [(0, START, VERIFIED)]
    found = await documents(admin)
    assert found == {START: document(events, START)}
    assert json.loads(found[START][0])["event_counts"] == dict.fromkeys([*odd, "risk_mode_changed"], 1)


async def test_a_late_event_removes_the_document_and_the_hour_is_verified_again_when_patience_is_over(
    database: Database, admin: asyncpg.Connection
) -> None:
    events = [an_event(0, at=START), an_event(1, at=NEXT)]
    await append(database, events)
    await fold(database)
    await due(database, CLOSED)
    for minute in range(12):
        clock = CLOSED + minute * MINUTE
        late = an_event(100 + minute, at=START + minute * MINUTE, session=f"late_{minute}")
        await append(database, [late])
        events.append(late)
        # The hour is not due before the fold.
        assert await due(database, clock) == []
        await fold(database)
        again = await due(database, clock)
        # Twelve late events cause only two verifications.
        assert again == ([(0, START, VERIFIED)] if minute in (5, 10) else [])
        kept = {NEXT: document(events, NEXT)}
        assert await documents(admin) == (kept | {START: document(events, START)} if again else kept)


async def test_the_fold_and_the_end_of_a_document_are_one(database: Database, admin: asyncpg.Connection) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await due(database, CLOSED)
    await append(database, [an_event(1, at=START)])
    async with admin.transaction():
        await admin.fetch(database.statements.fold_hourly, 0, 1, 50_000)
        assert await documents(admin) == {}
        (seen,) = await database.rows("select count(*) as documents from hourly_documents")
        assert seen["documents"] == 1
    (seen,) = await database.rows("select count(*) as documents from hourly_documents")
    assert seen["documents"] == 0


CHANGE = "update hourly_documents set {} where hour = $1"


async def test_a_document_that_is_not_what_the_rows_say_is_drift_and_a_rebuild_ends_it(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START), an_event(1, at=NEXT)])
    await fold(database)
    await due(database, CLOSED)
    before = await documents(admin)
    for change in ("sessions = 9", "events = 9", "keys = 9", "document = replace(document::text, '1', '2')::json"):
        await admin.execute(CHANGE.format(change), START)
        hours = await list_hours(database, None, None)
        proofs = [await verify_hour(database, hour, clock=CLOSED) for hour in hours]
        assert [proof.state for proof in proofs] == [DRIFTED, VERIFIED]
        assert [difference.field for difference in proofs[0].differences] == ["document"]
        async for _ in rebuild(database, hours):
            pass
        assert (await documents(admin)).keys() == {NEXT}
        assert await due(database, CLOSED) == [(0, START, VERIFIED)]
        assert await documents(admin) == before


async def test_an_hour_that_is_not_over_is_verified_on_demand_but_gets_no_document(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=LAST)])
    await fold(database)
    (hour,) = await list_hours(database, None, None)
    assert (await verify_hour(database, hour, clock=CLOSED - timedelta(microseconds=1))).state == VERIFIED
    assert await documents(admin) == {}
    assert await due(database, CLOSED - timedelta(microseconds=1)) == []
    # The hour is over now, but it was verified a moment ago.
    assert await due(database, CLOSED) == []
    assert await due(database, CLOSED + PATIENCE) == [(0, LAST, VERIFIED)]
    assert (await documents(admin)).keys() == {LAST}


async def test_an_hour_verified_with_an_unfolded_tail_has_no_document_and_no_current_proof(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await append(database, [an_event(1, at=START)])
    (hour,) = await list_hours(database, None, None)
    proof = await verify_hour(database, hour, clock=CLOSED)
    assert (proof.state, proof.events, proof.folded[0]) == (VERIFIED, 2, 1)
    assert await documents(admin) == {}
    row = await database.only(database.statements.read_proof, 0, "hourly", START)
    assert (row["state"], row["events"], row["current"]) == (VERIFIED, 2, False)
    await fold(database)
    # The fold alone does not make the proof current.
    assert not (await database.only(database.statements.read_proof, 0, "hourly", START))["current"]
    assert await due(database, CLOSED + PATIENCE) == [(0, START, VERIFIED)]
    assert (await database.only(database.statements.read_proof, 0, "hourly", START))["current"]


async def verified_but_not_documented(database: Database, connection: asyncpg.Connection) -> tuple[str, list[object]]:
    """Verify the hour in the open transaction; return the statement and arguments that write its document."""
    statements = database.statements
    await connection.fetch(statements.hold_day, START)
    rows = await connection.fetch(statements.verify_hourly, 0, 1, START)
    assert {row["finding"] for row in rows} == {"folded", "proof"}
    folded = [row["recounted"] for row in rows if row["finding"] == "folded"]
    return statements.write_document, [0, 1, START, int(folded[0]), *folded[1:], CLOSED]


@pytest.mark.parametrize("folds", [False, True], ids=["appended", "appended and folded"])
async def test_no_document_is_written_of_an_hour_that_changed_since_it_was_verified(
    database: Database, admin: asyncpg.Connection, *, folds: bool
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    async with admin.transaction():
        write, arguments = await verified_but_not_documented(database, admin)
        await append(database, [an_event(1, at=START)])
        if folds:
            await fold(database)
        assert not await admin.fetchval(write, *arguments)
    assert await documents(admin) == {}


async def test_a_fold_that_is_under_way_is_waited_for(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    await append(database, [an_event(1, at=START)])
    other = await asyncpg.connect(database_url)
    try:
        folding = admin.transaction()
        await folding.start()
        await admin.fetch(database.statements.fold_hourly, 0, 1, 50_000)
        async with other.transaction():
            write, arguments = await verified_but_not_documented(database, other)
            writing = asyncio.create_task(other.fetchval(write, *arguments))
            await until_waited_for(admin)
            await folding.commit()
            assert not await writing
    finally:
        await other.close()
    assert await documents(admin) == {}


async def test_a_document_is_not_written_for_a_version_that_has_ended(
    database: Database, admin: asyncpg.Connection
) -> None:
    await append(database, [an_event(0, at=START)])
    await fold(database)
    async with admin.transaction():
        write, arguments = await verified_but_not_documented(database, admin)
        await admin.execute("delete from checkpoints")
        assert not await admin.fetchval(write, *arguments)
    assert await documents(admin) == {}
