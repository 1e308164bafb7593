"""`python -m service import` as a process, and imports that end early: a second run stores the rest."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from service.imports.importer import Job, Tally, import_file
from service.imports.rejected_rows import rejected_path
from service.imports.targets import Log
from service.operations.supervisor import prepare
from service.settings import load
from sql.database import Database
from sql.errors import Unavailable
from sql.retention import Retention, record_retention
from tests.conftest import Servers, execute
from tests.support.imports import (
    WRITERS,
    Counts,
    a_row,
    imported,
    numbered,
    rejected,
    run,
    start,
    without_ids,
    write_array,
    write_lines,
)
from tests.support.log import NOW, stopped_after_one_append, stored
from tests.support.projections_command import Ended

FUTURE = "the timestamp is more than 24 hours ahead"
END_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}'"


async def test_the_command_reads_each_format_all_at_once(database_url: str, tmp_path: Path) -> None:
    """All four files hold the same rows: one command stores each row, and the others count it as a duplicate."""
    rows = [a_row(None, properties={"b": "é\n,", "a": [1.5]}, demo_mode=False, user_id=None)] * 3 + numbered(1200)
    files = [write(tmp_path / name, rows) for name, write in WRITERS.items()]
    ended = await asyncio.gather(*(run(database_url, "--", file) for file in files))
    assert {(each.code, each.errors) for each in ended} == {(0, "")}
    counts = [[int(word.replace(",", "")) for word in each.output.split() if word[0].isdigit()] for each in ended]
    assert [sum(numbers) for numbers in zip(*counts, strict=True)] == [4 * 1203, 1203, 3 * 1203, 0]
    again = await run(database_url, "--format", "csv", "--", files[-1])
    assert again == Ended(0, "import: read 1,203 = 0 stored + 1,203 duplicate + 0 rejected\n", "")
    assert len(await stored(database_url)) == 1203


async def test_the_command_names_what_it_rejects_and_exits_1(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "events.ndjson"
    good = json.dumps(a_row(1))
    future = json.dumps(a_row(2, timestamp=(NOW + timedelta(days=2)).isoformat()))
    reused = json.dumps(a_row(1, session_id="s2"))
    file.write_text(f'{good}\nnonsense\n\n{future}\n{reused}\n{{"event_type":"{"x" * 3000}"}}\n{future}\n')
    ended = await run(database_url, "--", file)
    summary = f"import: read 6 = 1 stored + 0 duplicate + 5 rejected (2 of them: {FUTURE}; see {rejected_path(file)})\n"
    assert ended == Ended(1, summary, "")
    lines = rejected(file)
    assert [(line["line"], line["code"], line.get("field")) for line in lines] == [
        (2, "malformed", None), (4, "future", "timestamp"), (5, "id_reused", "event_id"),
        (6, "invalid_field", "event_type"), (7, "future", "timestamp"),
    ]  # fmt: skip
    assert lines[0]["row"] == "nonsense"
    assert lines[1]["message"] == FUTURE
    assert len(lines[3]["row"]) == 2001
    file.write_text(good)
    ended = await run(database_url, "--dry-run", "--", file)
    assert ended == Ended(0, "import: dry run, nothing is stored: read 1 = 0 to store + 1 duplicate + 0 rejected\n", "")
    assert stat.S_IMODE(rejected_path(file).stat().st_mode) == 0o600
    assert rejected_path(file).exists()  # a dry run keeps the file of the real run
    ended = await run(database_url, "--", file)
    assert ended == Ended(0, "import: read 1 = 0 stored + 1 duplicate + 0 rejected\n", "")
    assert not rejected_path(file).exists()
    assert os.listdir(tmp_path) == ["events.ndjson"]  # noqa: PTH208  # ruff forbids pathlib's iterdir in a coroutine


@pytest.mark.parametrize("options", [(), ("--dry-run",)], ids=["import", "dry run"])
async def test_an_import_that_would_keep_events_for_longer_than_the_service_says_so(
    database: Database, database_url: str, tmp_path: Path, options: tuple[str, ...]
) -> None:
    """The service keeps three days; the settings of the import, seven."""
    await prepare(
        database_url, load({"HOURLEDGER_EVENT_RETENTION_DAYS": "3", "HOURLEDGER_ROLLUP_RETENTION_DAYS": "90"})
    )
    rows = [a_row(number, timestamp=(NOW - timedelta(days=number)).isoformat()) for number in (0, 5)]
    file = write_lines(tmp_path / "events.ndjson", rows)
    ended = await run(database_url, *options, "--", file)
    longer = "HOURLEDGER_EVENT_RETENTION_DAYS is 7, but 3 days are in force: start the service with 7 to lengthen them"
    assert longer in ended.errors
    assert ended.code == 1
    assert ended.output.partition(" = ")[2].startswith(("1 stored + 0 dup", "1 to store + 0 dup"))
    assert [line["code"] for line in rejected(file)] == ["expired"]
    assert await record_retention(database, Retention(1, 1, 1)) == Retention(3, 90, 3)


async def test_the_command_says_in_one_line_what_it_cannot_do_and_exits_2(database_url: str, tmp_path: Path) -> None:
    cut, odd, missing = tmp_path / "cut.json", tmp_path / "odd.csv", tmp_path / "missing"
    cut.write_text(json.dumps(numbered(700))[:-1])
    odd.write_text("event_type,session_id,timestamp,sent_at\n")
    read, shifted, columns, option, none = await asyncio.gather(
        run(database_url, "--", cut),
        run(database_url, "--shift-to", "now", "--", cut),
        run(database_url, "--", odd),
        run(database_url, "--shift-to", "yesterday", "--", cut),
        run(database_url, "--", missing),
    )
    told = f"error: {cut}: the array is not closed after element 699\n"
    assert read == Ended(2, "import: read 699 = 699 stored + 0 duplicate + 0 rejected\n", told)
    assert shifted == Ended(2, "", told)
    assert (columns.code, columns.output) == (2, "")
    assert columns.errors.startswith(f"error: {odd}: unknown column: sent_at; the columns of CSV are event_type, ")
    assert option.code == none.code == 2
    assert "'yesterday': expected an ISO-8601 time such as 2025-10-18T01:00:00.000Z, or now" in option.errors
    assert f"'{missing}' does not exist" in none.errors


async def test_a_dry_run_does_not_touch_a_database_that_is_not_migrated(
    empty_database_url: str, tmp_path: Path
) -> None:
    file = write_array(tmp_path / "events.json", [a_row()])
    ended = await run(empty_database_url, "--dry-run", "--", file)
    assert (ended.code, ended.errors) == (
        2, "error: the database is at schema version 0, older than this code: run make migrate\n",
    )  # fmt: skip


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
async def test_an_import_that_was_ended_is_run_again(database_url: str, tmp_path: Path, end: signal.Signals) -> None:
    rows = [*without_ids(numbered(8_000)), *[a_row(None)] * 500]
    file = write_lines(tmp_path / "events.ndjson", rows)
    async with stopped_after_one_append(database_url, lambda: start(database_url, "--", file)) as process:
        process.send_signal(end)
    _, errors = await process.communicate()
    if end == signal.SIGINT:
        assert (process.returncode, errors) == (2, b"error: interrupted; run it again to import the rest\n")
    assert 0 < len(await stored(database_url)) < 8_500
    ended = await run(database_url, "--", file)
    assert ended.code == 0
    assert ended.output.startswith("import: read 8,500 = ")
    assert len(await stored(database_url)) == 8_500


async def let_in(servers: Servers, version: int, url: str, *, allowed: bool) -> None:
    """Open a database to connections, or close it and end the present ones."""
    name = urlsplit(url).path[1:]
    await execute(servers.url(version), f'alter database "{name}" allow_connections {allowed}')
    if not allowed:
        await execute(servers.url(version), END_SESSIONS.format(name))


async def test_a_database_that_is_away_for_a_moment_is_waited_for(
    database: Database, database_url: str, tmp_path: Path, servers: Servers, postgres_version: int
) -> None:
    file = write_lines(tmp_path / "events.ndjson", numbered(6_000))

    async def begin() -> asyncio.Task[Counts]:
        return asyncio.create_task(imported(database, file))

    async with stopped_after_one_append(database_url, begin) as importing:
        await let_in(servers, postgres_version, database_url, allowed=False)
        await asyncio.sleep(0)
        await let_in(servers, postgres_version, database_url, allowed=True)
    counts = await importing
    assert counts.stored + counts.duplicate == 6_000
    assert len(await stored(database_url)) == 6_000


async def test_an_import_whose_database_stays_away_ends_and_is_run_again(
    database: Database, database_url: str, tmp_path: Path, servers: Servers, postgres_version: int
) -> None:
    file = write_lines(tmp_path / "events.ndjson", numbered(6_000))
    tally = Tally()

    async def begin() -> asyncio.Task[None]:
        return asyncio.create_task(import_file(Log(database, 7, patience=1), Job(file), tally))

    async with stopped_after_one_append(database_url, begin) as importing:
        await let_in(servers, postgres_version, database_url, allowed=False)
    with pytest.raises(Unavailable, match="the database has taken no events"):
        await importing
    assert "not known to be stored" in tally.summary(Job(file))
    await let_in(servers, postgres_version, database_url, allowed=True)
    counts = await imported(database, file)
    assert counts.stored + counts.duplicate == 6_000
    assert len(await stored(database_url)) == 6_000
