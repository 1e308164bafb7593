"""Sites in the database: added, renamed and retired, after an upgrade, and beside a rebuild."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from projections import versions
from projections.conservation import conservation
from projections.hours import list_hours, live_versions
from projections.projector import catch_up
from projections.verify import HourProof
from service.access.errors import NameTaken
from service.access.site_changes import add_site, rename_site, retire_site
from service.access.sites import Sites, read_sites
from service.errors import Impossible, InvalidParameter, NotReady, SiteRetired, UnknownSite
from sql.database import Database
from sql.hourly import VERIFIED
from sql.migrate import SchemaRefused, migrate, rollback
from tests.support import oracle
from tests.support.log import append
from tests.support.projection import folded, proofs, random_events
from tests.support.schema import version

BEFORE_SITES = 12
# Steps of a rebuild after which a site is added.
BEGUN, FILLED, PROVEN = "begun", "filled", "proven"


async def test_a_log_of_before_is_the_default_sites_and_verifies(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    log = oracle.Log()
    events = random_events(1, 200)
    await append(database, events)
    log.append(events)
    while await version(database_url) > BEFORE_SITES:
        await rollback(database_url)
    await admin.execute("""insert into segments (name, filters) values ('mine', '{"event_type": "a"}')""")
    await migrate(database_url)
    (default,) = await read_sites(database)
    assert (default.number, default.name, default.shards, default.retired) == (0, "default", (0,), False)
    assert [row["name"] for row in await database.rows(database.statements.list_segments, 0)] == ["mine"]
    await catch_up(database)
    assert await folded(admin) == oracle.rows(log.events)
    assert {proof.state for proof in await proofs(database)} == {VERIFIED}
    assert all(shard.holds for shard in await conservation(database))


async def test_a_step_down_that_would_mix_sites_needs_force(database: Database, database_url: str) -> None:
    await add_site(database, "blog")
    await append(database, random_events(2, 20), shard=1)
    while await version(database_url) > BEFORE_SITES + 1:
        await rollback(database_url)
    with pytest.raises(SchemaRefused, match="rolling back sites would lose the rows of added_sites; FORCE=1"):
        await rollback(database_url)
    await rollback(database_url, force=True)
    await migrate(database_url)
    (default,) = await read_sites(database)
    assert default.shards == (0, 1)


async def test_sites_have_the_next_free_shards(database: Database) -> None:
    first = await add_site(database, "first", time_zone="Europe/Berlin", origins=["https://a.example"], shards=3)
    second = await add_site(database, "second")
    assert (first.number, first.shards, first.time_zone, first.origins) == (
        1, (1, 2, 3), "Europe/Berlin", ("https://a.example",),
    )  # fmt: skip
    assert (second.number, second.shards) == (2, (4,))
    assert await live_versions(database) == dict.fromkeys(range(5), 1)


async def test_sites_that_are_added_at_once_share_no_shard(database: Database) -> None:
    await asyncio.gather(*(add_site(database, f"site-{number}", shards=2) for number in range(4)))
    sites = [*await read_sites(database)]
    assert sorted(shard for site in sites for shard in site.shards) == list(range(9))
    assert [site.number for site in sites] == list(range(5))


async def test_a_new_site_takes_no_events_of_days_that_are_closed(
    database: Database, admin: asyncpg.Connection
) -> None:
    await admin.execute("update log_heads set horizon = now() - interval '2 days'")
    await add_site(database, "blog")
    ((same,),) = await admin.fetch("select count(distinct horizon) = 1 from log_heads")
    assert same


@pytest.mark.parametrize("when", [BEGUN, FILLED, PROVEN])
async def test_a_rebuild_under_way_covers_a_site_that_is_added(
    database: Database, admin: asyncpg.Connection, when: str
) -> None:
    events, added = random_events(3, 60, hours=3), random_events(4, 60, hours=3)
    log = oracle.Log()
    log.append(added)
    await append(database, events)
    await catch_up(database)
    begun = await versions.begin(database)
    found: list[HourProof] = []
    for step in (BEGUN, FILLED, PROVEN):
        if step == FILLED:
            async for _ in versions.fill(database, begun):
                pass
        if step == PROVEN:
            found = [proof async for proof in versions.prove(database, begun)]
        if step == when:
            await add_site(database, "blog")
            await append(database, added, shard=1)
    await versions.switch(database, begun, found)
    assert await live_versions(database) == {0: begun, 1: begun}
    await catch_up(database)
    assert {proof.state for proof in await proofs(database)} == {VERIFIED}
    assert {hour.shard for hour in await list_hours(database, None, None)} == {0, 1}
    await versions.drop_old(database)
    assert await folded(admin, shard=1) == oracle.rows(log.events)


async def test_a_version_that_was_left_covers_a_site_that_is_added_later(database: Database) -> None:
    begun = await versions.begin(database)
    async for _ in versions.fill(database, begun):
        pass
    await versions.switch(database, begun, [proof async for proof in versions.prove(database, begun)])
    await add_site(database, "blog")
    await append(database, random_events(5, 30, hours=2), shard=1)
    await catch_up(database)
    assert await versions.roll_back(database) == (begun, 1)
    assert await live_versions(database) == {0: 1, 1: 1}
    assert {proof.state for proof in await proofs(database)} == {VERIFIED}


async def test_processes_know_a_change_when_they_look_next(database: Database) -> None:
    sites = Sites(database)
    with pytest.raises(NotReady):
        sites.named(None)
    assert await sites.look()
    assert not await sites.look()
    assert sites.named(None) == sites.named("default") == sites.default
    await add_site(database, "blog")
    with pytest.raises(UnknownSite, match="site must be the name of a site, not 'blog'"):
        sites.named("blog")
    assert await sites.look()
    blog = sites.named("blog")
    await rename_site(database, "blog", "journal")
    assert await sites.look()
    assert sites.named("journal").number == blog.number
    with pytest.raises(UnknownSite):
        sites.named("blog")
    await retire_site(database, "journal")
    assert await sites.look()
    with pytest.raises(SiteRetired, match="the site 'journal' is retired: it takes no events"):
        sites.named("journal").check_takes_events()
    sites.default.check_takes_events()


async def test_names_are_checked_and_belong_to_one_site(database: Database) -> None:
    for name in ("", "Blog", "-x", "a b", "é", "a" * 65, "x\n"):
        with pytest.raises(InvalidParameter, match="name must be 1 to 64"):
            await add_site(database, name)
    await add_site(database, "a" * 64)
    with pytest.raises(NameTaken, match="there is a site 'default' already"):
        await add_site(database, "default")
    with pytest.raises(NameTaken, match="there is a site 'default' already"):
        await rename_site(database, "a" * 64, "default")
    with pytest.raises(UnknownSite):
        await rename_site(database, "nowhere", "x")
    with pytest.raises(Impossible, match="'default' is the default site, which cannot be retired"):
        await retire_site(database, "default")
