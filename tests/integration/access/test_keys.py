"""Keys in the database: what a change tells processes, what the last use does not, and what a step down would lose."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from service.access import key_uses
from service.access.errors import WrongState
from service.access.key_changes import create_key, forget_key, revoke_key, rotate_key
from service.access.key_uses import KeyUses
from service.access.keys import Key, Kind, Right, digest_of, key_of
from service.access.sites import Sites, read_sites
from service.errors import InvalidParameter, NotFound
from sql.database import Database, Row
from sql.errors import DatabaseError, Refused
from tests.support.waiting import until

DAY = timedelta(days=1)


@pytest_asyncio.fixture
async def sites(database: Database) -> AsyncIterator[Sites]:
    yield await read_sites(database)


async def rows(database: Database) -> dict[str, dict[str, object]]:
    return {row["prefix"]: dict(row) for row in await database.rows(database.statements.list_keys)}


async def test_every_change_of_a_key_is_found_by_the_next_look(database: Database, sites: Sites) -> None:
    key = await create_key(database, Kind.READ, 0, label="of a test")
    assert sites.keys.found(key) is None
    assert await sites.look()
    found = sites.keys.found(key)
    assert found is not None
    assert (found.kind, found.site, found.revoked, found.expires_at) == (Kind.READ, 0, False, None)
    rotated = await rotate_key(database, key[:12], timedelta(hours=1))
    assert await sites.look()
    older, newer = sites.keys.found(key), sites.keys.found(rotated.key)
    assert older is not None
    assert newer is not None
    assert older.expires_at == rotated.older_expires_at
    assert newer.expires_at is None
    await revoke_key(database, key[:12])
    assert await sites.look()
    ended = sites.keys.found(key)
    assert ended is not None
    assert ended.revoked
    await forget_key(database, key[:12])
    assert await sites.look()
    assert sites.keys.found(key) is None
    assert not await sites.look()


async def test_the_database_holds_no_key(database: Database) -> None:
    key = await create_key(database, Kind.ADMIN, None, label="of a test")
    (row,) = (await rows(database)).values()
    assert row["digest"] == digest_of(key)
    assert not any(key[13:] in str(value) for value in row.values())


async def test_a_rotated_key_lives_as_long_as_the_older_one_did(database: Database) -> None:
    expires_at = datetime.now(UTC) + 10 * DAY
    key = await create_key(database, Kind.WRITE, 0, label="pages", expires_at=expires_at)
    rotated = await rotate_key(database, key[:12], 30 * DAY)
    # The overlap lengthens nothing.
    assert rotated.older_expires_at == expires_at
    found = await rows(database)
    older, newer = found[key[:12]], found[rotated.key[:12]]
    assert {name: newer[name] for name in ("kind", "site", "label")} == {"kind": "write", "site": 0, "label": "pages"}
    lifetimes = [row["expires_at"] - row["created_at"] for row in (older, newer)]  # type: ignore[operator]
    assert abs(lifetimes[0] - lifetimes[1]) < timedelta(seconds=1)


@pytest.mark.parametrize("overlap", [timedelta(0), DAY])
async def test_a_key_that_has_ended_is_not_rotated(database: Database, overlap: timedelta) -> None:
    revoked = await create_key(database, Kind.WRITE, 0)
    await revoke_key(database, revoked[:12])
    expired = await create_key(database, Kind.WRITE, 0, expires_at=datetime.now(UTC) - DAY)
    for key in (revoked, expired):
        with pytest.raises(WrongState, match="create another one"):
            await rotate_key(database, key[:12], overlap)
        await forget_key(database, key[:12])
        with pytest.raises(NotFound):
            await rotate_key(database, key[:12], overlap)
    assert await rows(database) == {}


async def test_a_valid_key_is_not_forgotten_and_a_whole_key_names_none(database: Database) -> None:
    key = await create_key(database, Kind.SERVER, 0)
    with pytest.raises(WrongState, match="revoke it first"):
        await forget_key(database, key[:12])
    with pytest.raises(InvalidParameter) as refused:
        await revoke_key(database, key)
    assert key[13:] not in refused.value.message
    with pytest.raises(NotFound):
        await revoke_key(database, "hls_00000000")


async def test_the_last_use_is_written_once_a_minute_and_is_no_change(database: Database, sites: Sites) -> None:
    key = await create_key(database, Kind.SERVER, 0)
    assert await sites.look()
    moments = [datetime(2026, 11, 23, 9, tzinfo=UTC) + timedelta(seconds=seconds) for seconds in (0, 40, 80)]
    clock = iter(moments)
    uses = KeyUses(database, lambda: next(clock))
    seen = []
    for _ in moments:
        uses.note(key[:12])
        await uses.write()
        seen.append((await rows(database))[key[:12]]["last_used_at"])
    assert seen == [moments[0], moments[0], moments[2]]
    assert not await sites.look()
    await uses.write()


async def test_uses_wait_while_the_database_is_away(database: Database) -> None:
    key = await create_key(database, Kind.SERVER, 0)
    moment = datetime(2026, 11, 23, 9, tzinfo=UTC)
    uses = KeyUses(Database("postgresql://nobody@127.0.0.1:1/none"), lambda: moment)
    uses.note(key[:12])
    await uses.write()
    uses._database = database  # the database is back
    await uses.write()
    assert (await rows(database))[key[:12]]["last_used_at"] == moment


async def test_known_keys_stay_while_the_database_is_away(database: Database, sites: Sites) -> None:
    key = await create_key(database, Kind.WRITE, 0)
    assert await sites.look()
    sites._database = Database("postgresql://nobody@127.0.0.1:1/none")  # the database goes away
    with pytest.raises(DatabaseError):
        await sites.look()
    assert sites.known
    assert sites.keys.found(key) is not None
    assert sites.keys.close(Right.EVENTS, 0)


async def test_the_table_takes_the_kinds_that_python_knows(database: Database) -> None:
    for kind in Kind:
        await create_key(database, kind, 0)
    assert sorted(str(row["kind"]) for row in (await rows(database)).values()) == sorted(Kind)
    with pytest.raises(Refused):
        await database.rows(database.statements.add_key, "hlw_00000000", digest_of("x"), "another", 0, "", None)


async def test_a_look_that_fails_by_a_fault_of_the_service_is_not_the_last(
    database: Database, sites: Sites, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a newer schema has a kind of keys that this service does not know."""
    key = await create_key(database, Kind.READ, 0)
    assert await sites.look()
    failed = 0

    def failing_twice(row: Row) -> Key:
        nonlocal failed
        if failed < 2:
            failed += 1
            raise ValueError("'other' is not a valid Kind")
        return key_of(row)

    monkeypatch.setattr("service.access.sites.key_of", failing_twice)
    monkeypatch.setattr("service.access.sites.POLL_SECONDS", 0.01)
    await revoke_key(database, key[:12])
    with capture_logs() as logs:
        following = asyncio.create_task(sites.follow())
        await until(lambda: (found := sites.keys.found(key)) and found.revoked, "the key is revoked", 20)
        following.cancel()
    assert failed == 2
    assert [(told["event"], told["exc_info"]) for told in logs] == [
        ("the service failed to read the sites and keys", True)
    ]


async def test_a_write_that_fails_by_a_fault_of_the_service_is_not_the_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = await create_key(database, Kind.READ, 0)
    moment = datetime(2026, 11, 23, 9, tzinfo=UTC)
    uses = KeyUses(database, lambda: moment)
    monkeypatch.setattr(key_uses, "WRITE_SECONDS", 0.01)
    uses.note(key[:12])
    uses._database = None  # type: ignore[assignment]  # any fault that is not the database's

    async def last_use() -> object:
        return (await rows(database))[key[:12]]["last_used_at"]

    with capture_logs() as logs:
        following = asyncio.create_task(uses.follow())
        await until(lambda: logs, "a write fails", 20)
        await uses.write()
        uses._database = database
        await until(last_use, "the next one works", 20, holds=lambda at: at == moment)
        following.cancel()
    assert [(told["event"], told["exc_info"]) for told in logs] == [
        ("the service failed to write the last use of keys", True)
    ]
