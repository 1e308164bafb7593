"""`python -m projections verify`, `rebuild` and `status` as processes: their output and exit status."""

from __future__ import annotations

import asyncio
import json

import asyncpg
import pytest

from sql.database import Database
from tests.conftest import free_port
from tests.support.alterations import LAST, NEXT, alter, fill
from tests.support.damages import DAMAGES
from tests.support.drifts import DRIFTS
from tests.support.projection import START
from tests.support.projections_command import Ended, run, text

# Output of commands does not depend on the server's version.
pytestmark = pytest.mark.versions("newest")


async def test_clean(database: Database, database_url: str) -> None:
    await fill(database)
    verified, rebuilt, status = await asyncio.gather(
        run(database_url, "verify"), run(database_url, "rebuild", "--from", text(START)), run(database_url, "status")
    )
    assert verified == Ended(
        0, "verify: 3 hours, 6 events: 3 verified, 0 sealed, 0 drifted, 0 damaged, 0 broken: clean\n", ""
    )
    assert rebuilt == Ended(0, "rebuild of hourly: 3 hours, 6 events: 0 hours changed, 0 not rebuilt, 0 sealed\n", "")
    assert status.output.splitlines() == [
        "hourly version 1 (live) shard 0: folded to 6 of 6, 0 events behind",
        "status: 0 events behind",
    ]
    as_json = await run(database_url, "verify", "--json", "--from", text(NEXT), "--to", text(LAST))
    assert as_json.code == 0
    assert json.loads(as_json.output) == {
        "ok": True, "hours": 1, "events": 1, "verified": 1, "sealed": 0, "drifted": 0, "damaged": 0, "broken": 0,
        "unchecked": 0, "archive": {"files": 0, "events": 0, "damaged": 0}, "findings": [],
    }  # fmt: skip


async def test_wrong_is_named_mended_where_it_can_be_and_never_hidden(
    database: Database, database_url: str, admin: asyncpg.Connection
) -> None:
    await fill(database)
    for script in (
        DRIFTS["a count was changed"].script,
        DRIFTS["an edge was changed"].script,
        DAMAGES["a receipt was changed"].script,
    ):
        await alter(admin, script)
    verified, as_json, one_hour = await asyncio.gather(
        run(database_url, "verify"),
        run(database_url, "verify", "--json"),
        run(database_url, "verify", "--json", "--from", text(LAST)),
    )
    assert (verified.code, verified.errors) == (1, "")
    previous = f"{START:%Y-%m-%d %H:%M:%S}+00"
    assert verified.output.splitlines() == [
        f'{text(START)} shard 0: drifted: event_counts "page_viewed" at {START:%H:%M}: stored 7, recounted 2',
        f'{text(NEXT)} shard 0: drifted: session_edges "{previous}" at {NEXT:%H:%M}: stored 2, recounted 1',
        f"{text(LAST)} shard 0: damaged: position_sum: appended 5, found 11",
        "verify: 3 hours, 6 events: 0 verified, 0 sealed, 2 drifted, 1 damaged, 0 broken: WRONG",
    ]
    answer = json.loads(as_json.output)
    assert (as_json.code, answer["ok"], answer["drifted"], answer["damaged"]) == (1, False, 2, 1)
    assert answer["findings"][0] == {
        "hour": text(START), "shard": 0, "class": "drifted", "field": "event_counts", "bucket": text(START),
        "key": "page_viewed", "stored": "7", "recounted": "2",
    }  # fmt: skip
    assert json.loads(one_hour.output)["findings"] == answer["findings"][2:]

    mended = await run(database_url, "rebuild", "--from", text(START), "--to", text(NEXT))
    assert mended == Ended(0, "rebuild of hourly: 1 hour, 3 events: 1 hour changed, 0 not rebuilt, 0 sealed\n", "")
    refused = await run(database_url, "rebuild")
    assert (refused.code, refused.output.splitlines()) == (
        1,
        [
            f"{text(LAST)} shard 0: not rebuilt: raw events are damaged; see make verify",
            (
                "rebuild of hourly: 3 hours, 6 events: version 2 is live, 0 sealed hours carried over, 1 not rebuilt;"
                " version 1 stays: `.venv/bin/python -m projections rollback` makes it live again,"
                " `.venv/bin/python -m projections drop-old` drops it"
            ),
        ],
    )
    verified = await run(database_url, "verify")
    assert (verified.code, verified.output.splitlines()[-1]) == (
        1,
        "verify: 3 hours, 6 events: 2 verified, 0 sealed, 0 drifted, 1 damaged, 0 broken: WRONG",
    )


async def test_what_cannot_be_asked_or_answered_exits_2(
    database: Database, database_url: str, admin: asyncpg.Connection, empty_database_url: str
) -> None:
    await fill(database)
    away = f"postgresql://nobody@127.0.0.1:{free_port()}/x"
    day = f"{START:%Y-%m-%d}"
    wrong = {
        ("--from", "yesterday"): "'--from': 'yesterday' is not an hour in ISO-8601, such as 2025-10-18T01:00Z",
        ("--to", f"{day}T01:30Z"): f"'--to': '{day}T01:30Z' is not a whole hour",
        ("--to", day, "--from", f"{day}T01:00+01:00"): "'--to': must be later than --from",
    }
    asked = await asyncio.gather(*(run(database_url, "verify", *arguments) for arguments in wrong))
    for ended, message in zip(asked, wrong.values(), strict=True):
        assert (ended.code, ended.output, ended.last_error) == (2, "", f"Error: Invalid value for {message}")
    for command in ("verify", "rebuild", "status"):
        ended = await run(away, command)
        assert (ended.code, ended.output) == (2, "")
        assert ended.errors.startswith("error: ")
        assert ended.errors.count("\n") == 1
    old = await run(empty_database_url, "verify")
    assert old == Ended(2, "", "error: the database is at schema version 0, older than this code: run make migrate\n")
    await admin.execute("delete from checkpoints")
    unknown = await run(database_url, "verify")
    assert unknown == Ended(2, "", "error: shard 0 has no checkpoint of the live version of hourly\n")
