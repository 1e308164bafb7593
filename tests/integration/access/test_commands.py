"""Import, export and verify know sites."""

from __future__ import annotations

import json
from pathlib import Path

import asyncpg
import pytest

from projections.projector import catch_up
from service.access.site_changes import add_site, retire_site
from sql.database import Database
from tests.conftest import NEWEST
from tests.support.imports import numbered, run, write_lines
from tests.support.projections_command import run as projections

BY_SHARD = "select shard, count(*) from events group by shard order by shard"


@pytest.fixture(autouse=True)
def _newest_only(postgres_version: int) -> None:
    """Commands cost seconds, and nothing here depends on the server."""
    if postgres_version != NEWEST:
        pytest.skip("on the newest version only")


async def test_import_and_export_take_a_site(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await add_site(database, "blog", shards=2)
    file = write_lines(tmp_path / "events.ndjson", numbered(200))
    for site, stored in ((("--site", "blog"), 200), (("--site", "blog"), 0), ((), 200), (("--site", "default"), 0)):
        ended = await run(database_url, *site, "--", file)
        expected = f"import: read 200 = {stored} stored + {200 - stored} duplicate + 0 rejected\n"
        assert (ended.code, ended.output) == (0, expected)
    found = {shard: events for shard, events in await admin.fetch(BY_SHARD)}  # noqa: C416
    assert (found[0], found[1] + found[2]) == (200, 200)
    assert min(found.values()) > 0
    dry = await run(database_url, "--dry-run", "--site", "blog", "--", file)
    assert "0 to store + 200 duplicate" in dry.output

    more = write_lines(tmp_path / "more.ndjson", numbered(210)[200:])
    await run(database_url, "--site", "blog", "--", more)
    for site, events in ((("--site", "blog"), 210), ((), 200)):
        out = tmp_path / f"{events}.ndjson"
        ended = await run(database_url, "--output", out, *site, command="export")
        assert ended.code == 0, ended.errors
        assert len({json.loads(line)["event_id"] for line in out.read_text().splitlines()}) == events


async def test_a_site_that_takes_no_events_is_refused(database: Database, database_url: str, tmp_path: Path) -> None:
    await add_site(database, "blog")
    await retire_site(database, "blog")
    file = write_lines(tmp_path / "events.ndjson", numbered(1))
    ended = await run(database_url, "--site", "blog", "--", file)
    assert (ended.code, ended.errors) == (2, "error: the site 'blog' is retired: it takes no events\n")
    for command, options in (("import", ("--", file)), ("export", ("--output", tmp_path / "out.csv"))):
        ended = await run(database_url, "--site", "nowhere", *options, command=command)
        told = "error: --site nowhere: there is no such site; `python -m service sites list` lists the sites\n"
        assert (ended.code, ended.errors) == (2, told)


async def test_verify_and_rebuild_name_the_site_of_a_shard(
    database: Database, database_url: str, admin: asyncpg.Connection, tmp_path: Path
) -> None:
    await add_site(database, "blog")
    file = write_lines(tmp_path / "events.ndjson", numbered(20))
    await run(database_url, "--site", "blog", "--", file)
    await catch_up(database)
    await admin.execute("update hourly_counts set events_00 = events_00 + 1, events_15 = events_15 + 1 where shard = 1")
    ended = await projections(database_url, "verify")
    assert ended.code == 1
    assert " site blog, shard 1: drifted: " in ended.output
    told = json.loads((await projections(database_url, "verify", "--json")).output)
    assert {(finding["shard"], finding["site"]) for finding in told["findings"]} == {(1, "blog")}
