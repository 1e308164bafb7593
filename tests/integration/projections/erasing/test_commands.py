"""The commands of people's rights as processes: a person's data, an erasure, its certificate, and a restored backup."""

from __future__ import annotations

import stat
from functools import partial
from pathlib import Path

import msgspec
import pytest

from projections.archive.kept_hours import KeptHours
from projections.hours import list_hours
from projections.log_heads import log_heads, losses, witnessed
from projections.verify import verify
from tests.conftest import Servers
from tests.support.beginnings import filled
from tests.support.erasing import user, where_it_is, without
from tests.support.history import Past, a_past
from tests.support.projections_command import run
from tests.support.retired_days import EVENTS
from tests.support.sharded import sharded_log

SEGMENT = """
insert into segments (site, name, filters)
values (0, 'mine', '{"where": "user_id = u1"}'), (0, 'of another', '{"where": "user_id = u10", "user_id": "u2"}')
"""
LINKS = """
insert into share_links (prefix, digest, site, hours, filters, expires_at)
select 'hll_0000000' || n, sha256(n::text::bytea), 0, 24, jsonb_build_object('where', 'user_id = u' || n), 'infinity'
from unnest('{1,2}'::integer[]) as n
"""
VIEWS = "insert into saved_views (site, name, search) values (0, 'of 1', '?user=u1'), (0, 'of 10', '?user=u10')"
SEGMENTS = "select array_agg(name) from segments"
ONE_SHARD = pytest.mark.parametrize("sharded", [1], indirect=True, ids=["1 shard"])
pytestmark = pytest.mark.versions("newest")


# It becomes `python -m projections`.
of_service = partial(run, module="service")


@ONE_SHARD
async def test_from_the_question_to_the_certificate(past_days: Past, tmp_path: Path) -> None:
    settings = {"HOURLEDGER_DATA_DIR": str(tmp_path / "data"), "HOURLEDGER_ARCHIVE_DIR": str(past_days.archive)}
    url, log = past_days.log.url, past_days.log
    await log.admin.execute(SEGMENT)
    await log.admin.execute(LINKS)
    await log.admin.execute(VIEWS)
    heads = await log_heads(log.database)

    asked = await of_service(url, "person", "--user", "u1", "--output", str(tmp_path / "u1.json"), **settings)
    assert (asked.code, asked.errors.startswith("person: ")) == (0, True), asked.errors
    assert stat.S_IMODE((tmp_path / "u1.json").stat().st_mode) == 0o600
    stored = msgspec.json.decode((tmp_path / "u1.json").read_bytes())
    assert (stored["segments"], stored["share_links"], stored["views"]) == (["mine"], ["hll_00000001"], ["of 1"])
    assert len(stored["events"]) >= 1

    tried = await run(url, "erase", "--user", "u1", "--dry-run", **settings)
    assert tried.code == 0, tried.errors
    assert msgspec.json.decode(tried.output)["events"] == len(stored["events"]) <= len(EVENTS)
    assert await log.admin.fetchval("select count(*) from erasures") == 0

    kept = tmp_path / "certificate.json"
    done = await of_service(url, "erase", "--user", "u1", "--output", str(kept), **settings)
    assert done.code == 0, done.errors
    assert f"{len(stored['events'])} events erased" in done.errors
    # u10 is another.
    assert sorted(await where_it_is(log.admin, past_days.archive, "u1")) == ["saved_views", "segments"]
    assert await log.admin.fetchval(SEGMENTS) == ["of another"]
    assert await log.admin.fetchval("select array_agg(name) from saved_views") == ["of 10"]
    assert await log.admin.fetchval("select array_agg(prefix) from share_links") == ["hll_00000002"]
    assert (await run(url, "verify", **settings)).code == 0
    # What a witness of before knows is no loss.
    with KeptHours(past_days.archive) as reads:
        assert await losses(log.database, heads, reads) == []
        hours = await witnessed(log.database, heads, await list_hours(log.database, None, None))
        assert {proof.state async for proof in verify(log.database, hours, reads)} <= {"verified", "sealed"}

    await certificates(url, kept, tmp_path / "changed.json", settings)


def change(kept: Path, changed: Path) -> None:
    changed.write_bytes(kept.read_bytes().replace(b'"events":', b'"events":1', 1))


async def certificates(url: str, kept: Path, changed: Path, settings: dict[str, str]) -> None:
    again = await run(url, "erase", "--user", "u1", **settings)
    assert (again.code, "0 events erased" in again.errors) == (0, True), again.errors
    checked = await run(url, "erasures", "--check", str(kept), **settings)
    assert checked.code == 0, checked.errors
    change(kept, changed)
    assert (await run(url, "erasures", "--check", str(changed), **settings)).code == 1
    listed = await run(url, "erasures", **settings)
    assert [msgspec.json.decode(line)["certificate"] for line in listed.output.splitlines()] == [1, 2]


@ONE_SHARD
async def test_whom_nobody_can_be(past_days: Past, tmp_path: Path) -> None:
    settings = {"HOURLEDGER_DATA_DIR": str(tmp_path / "data"), "HOURLEDGER_ARCHIVE_DIR": str(past_days.archive)}
    for arguments in (["--user", "u1", "--session", "s1"], [], ["--user", "u1", "--site", "none"]):
        assert (await run(past_days.log.url, "erase", *arguments, **settings)).code == 2


@ONE_SHARD
async def test_after_a_restore_from_an_older_backup(
    past_days: Past, servers: Servers, postgres_version: int, tmp_path: Path
) -> None:
    """The restored database has the same events, and knows of no erasure."""
    settings = {"HOURLEDGER_DATA_DIR": str(tmp_path / "data"), "HOURLEDGER_ARCHIVE_DIR": str(past_days.archive)}
    kept = tmp_path / "certificate.json"
    done = await run(
        past_days.log.url, "erase", "--user", "u1", "--sessions", "named", "--output", str(kept), **settings
    )
    assert done.code == 0, done.errors
    async with sharded_log(servers, postgres_version, 1, filled(1)) as log:
        restored = await a_past(log, tmp_path / "restored")
        settings["HOURLEDGER_ARCHIVE_DIR"] = str(restored.archive)
        checked = await run(log.url, "erasures", "--check", str(kept), **settings)
        assert (checked.code, "does not know it" in checked.errors) == (1, True), checked.errors
        replayed = await run(log.url, "erasures", "--replay", str(kept), **settings)
        assert replayed.code == 0, replayed.errors
        restored.events = without(EVENTS, user("u1"), named=True)
        await restored.check()
        assert await where_it_is(log.admin, restored.archive, "u1") == []
        again = await run(log.url, "erasures", "--replay", str(kept), **settings)
        assert (again.code, "is not here" in again.errors) == (0, True), again.errors
