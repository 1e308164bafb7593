"""Sign-ins in the database: what is kept of them, and what ends them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from service.access.errors import Unauthorized, WrongKind
from service.access.key_changes import create_key, forget_key, revoke_key
from service.access.keys import Kind, Right
from service.access.rules import Access, Rules
from service.access.sign_in_changes import LASTS, MOST_OF_KEY, begin_sign_in, end_sign_in
from service.access.sites import Sites, read_sites
from service.errors import NotFound
from service.settings import READ_TOKEN, load
from sql.database import Database

TOKEN = "the-read-token"  # noqa: S105


def rules(sites: Sites, moment: datetime | None = None, environment: Mapping[str, str] | None = None) -> Rules:
    return Rules(sites, load(environment or {}), lambda: moment or datetime.now(UTC), lambda _: None)


def signed_in(known: Rules, cookie: str, right: Right = Right.READS) -> Access:
    return known.access(right, [], None, is_forwarded=lambda: False, cookie=cookie)


async def test_a_sign_in_does_what_its_key_may_until_the_key_ends(database: Database) -> None:
    ends = datetime.now(UTC) + timedelta(days=1)
    keys = [await create_key(database, kind, 0, expires_at=ends) for kind in (Kind.READ, Kind.ADMIN)]
    read, admin = [await begin_sign_in(database, key=key[:12]) for key in keys]
    sites = await read_sites(database)
    known = rules(sites)
    found = signed_in(known, read)
    assert (found.kind, found.key, found.sign_in) == (Kind.READ, keys[0][:12], read[:12])
    with pytest.raises(WrongKind):
        signed_in(known, read, Right.CHANGES)
    for right in (Right.READS, Right.CHANGES, Right.SETTINGS):
        assert signed_in(known, admin, right).kind is Kind.ADMIN
    with pytest.raises(Unauthorized):
        signed_in(rules(sites, ends), read)
    await revoke_key(database, keys[1][:12])
    assert await sites.look()
    with pytest.raises(Unauthorized):
        signed_in(known, admin)
    await forget_key(database, keys[1][:12])
    assert await sites.look()
    assert not sites.sign_ins.knows(admin)
    assert sites.sign_ins.knows(read)
    await end_sign_in(database, read[:12])
    assert await sites.look()
    with pytest.raises(Unauthorized):
        signed_in(known, read)
    with pytest.raises(NotFound):
        await end_sign_in(database, read[:12])


async def test_a_sign_in_lasts_30_days(database: Database) -> None:
    key = await create_key(database, Kind.READ, None)
    cookie = await begin_sign_in(database, key=key[:12])
    sites, now = await read_sites(database), datetime.now(UTC)
    assert signed_in(rules(sites, now + LASTS - timedelta(minutes=1)), cookie).everywhere
    with pytest.raises(Unauthorized):
        signed_in(rules(sites, now + LASTS + timedelta(minutes=1)), cookie)


async def test_a_sign_in_by_the_token_ends_with_the_token(database: Database, admin: asyncpg.Connection) -> None:
    cookie = await begin_sign_in(database, token=TOKEN)
    sites = await read_sites(database)
    found = signed_in(rules(sites, environment={READ_TOKEN: TOKEN}), cookie)
    assert (found.key, found.kind, found.sign_in) == (READ_TOKEN, Kind.READ, cookie[:12])
    assert signed_in(rules(sites, environment={READ_TOKEN: TOKEN}), cookie, Right.CHANGES).key == READ_TOKEN
    with pytest.raises(WrongKind):
        signed_in(rules(sites, environment={READ_TOKEN: TOKEN}), cookie, Right.SETTINGS)
    for wrong in (cookie[:-1], cookie + "x"):
        with pytest.raises(Unauthorized):
            signed_in(rules(sites, environment={READ_TOKEN: TOKEN}), wrong)
    with pytest.raises(Unauthorized):
        signed_in(rules(sites, environment={READ_TOKEN: "another"}), cookie)
    # Where no token is set any more, and nothing else closes the site, it is open, and the cookie is nothing.
    assert signed_in(rules(sites), cookie).key is None
    kept = str(await admin.fetch("select * from sign_ins"))
    assert cookie[13:] not in kept
    assert TOKEN not in kept


async def test_the_oldest_sign_ins_of_a_key_end_for_newer_ones(database: Database, admin: asyncpg.Connection) -> None:
    keys = [await create_key(database, Kind.READ, 0) for _ in range(2)]
    other = await begin_sign_in(database, key=keys[1][:12])
    by_token = await begin_sign_in(database, token=TOKEN)
    await admin.execute(
        "insert into sign_ins (prefix, digest, key, created_at, expires_at)"
        " select 'hlc_' || lpad(n::text, 8, '0'), sha256(n::text::bytea), $1, now() - n * interval '1 minute',"
        " now() + case when n <= $2 + 5 then interval '1 day' else interval '-1 second' end"
        " from generate_series(1, $2 + 10) as n",
        keys[0][:12],
        MOST_OF_KEY,
    )
    newest = await begin_sign_in(database, key=keys[0][:12])
    left = {row["prefix"] for row in await admin.fetch("select prefix from sign_ins")}
    assert left == {newest[:12], other[:12], by_token[:12]} | {f"hlc_{n:08}" for n in range(1, MOST_OF_KEY)}
