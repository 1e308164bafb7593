"""`python -m service export` as a process: its file is complete, readable and importable, or does not appear."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import stat
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import asyncpg
import pytest

from service.commands.exports import ExportFailed, _file
from sql.database import Database
from tests.conftest import RETENTION_DAYS, Servers
from tests.http.support.site import hour_start, new_database, text_of
from tests.support import imports
from tests.support.exports import FORMATS, rows_of
from tests.support.imports import Counts, a_row, imported, write_lines
from tests.support.log import NOW, stored, until_waited_for
from tests.support.oracle import HOUR, QUARTER
from tests.support.projections_command import Ended

RANGE = ("--from", text_of(hour_start(NOW) - 3 * HOUR + QUARTER), "--to", text_of(hour_start(NOW) + HOUR))
PROPERTIES: list[Any] = [
    None, {}, {"a": [1.5, "=2", None]}, {"n": 1e300, "m": -1.5e-300}, {"x": "x" * 16_000}, {"é\n": "\u2028\r"},
    {"many": [10**20] * 700}, {"risk_mode": "high"},
]  # fmt: skip
NAMES = ("Home", "=1+1", "'=1", "＝1", None, 'a,"b"', " -x", "\tz")  # noqa: RUF001

start = partial(imports.start, command="export")
run = partial(imports.run, command="export")


async def fill(database: Database, folder: Path) -> list[dict[str, Any]]:
    """Store rows with every kind of text and property; return them."""
    rows = [
        a_row(
            number,
            session_id=f"s{number % 9}",
            timestamp=text_of(NOW - 2 * HOUR + number * (HOUR / 200)),
            tool_name=NAMES[number % len(NAMES)],
            user_id=NAMES[number // 8 % len(NAMES)],
            properties=PROPERTIES[number // 3 % len(PROPERTIES)],
            demo_mode=number % 2 == 0,
        )
        for number in range(300)
    ]
    assert await imported(database, write_lines(folder / "sent.ndjson", rows)) == Counts(stored=300)
    (folder / "sent.ndjson").unlink()
    return rows


async def test_what_is_exported_can_be_imported_and_says_the_same_in_every_format(
    database: Database, database_url: str, servers: Servers, tmp_path: Path
) -> None:
    sent = await fill(database, tmp_path)
    files = {form: tmp_path / f"events.{form}" for form in FORMATS}
    ended = await asyncio.gather(
        *(run(database_url, "--format", form, "--output", file, *RANGE) for form, file in files.items())
    )
    assert [(each.code, each.errors) for each in ended] == [(0, "")] * 3
    assert {stat.S_IMODE(file.stat().st_mode) for file in files.values()} == {0o600}
    since, until = RANGE[1::2]
    size = files["ndjson"].stat().st_size
    said = f"export: 300 events from {since} to {until}: {size:,} bytes of ndjson to {files['ndjson']}\n"
    assert ended[1].output == said
    rows = {form: rows_of(form, file.read_bytes()) for form, file in files.items()}
    assert rows["csv"] == rows["ndjson"] == rows["parquet"]
    expected = [{name: row.get(name) for name in rows["csv"][0]} | {"event_type": "page_viewed"} for row in sent]
    assert rows["csv"] == sorted(expected, key=lambda row: (row["timestamp"], row["event_id"]))
    async with new_database(servers) as other_url:
        other = Database(other_url)
        try:
            assert await imported(other, files["ndjson"]) == Counts(stored=300)
            assert await imported(other, files["ndjson"]) == Counts(duplicate=300)
        finally:
            await other.close()
        assert await same(other_url) == await same(database_url)


async def same(url: str) -> list[tuple[Any, ...]]:
    """Return each stored event without its position and time of arrival."""
    names = ("timestamp", "event_id", "session_id", "user_id", "event_type", "tool_name", "action", "properties")
    return sorted(tuple(map(str, (row[name] for name in (*names, "demo_mode")))) for row in await stored(url))


async def test_standard_output_filters_and_rollups(database: Database, database_url: str, tmp_path: Path) -> None:
    await fill(database, tmp_path)
    ndjson = ("--format", "ndjson", "--output", "-", *RANGE)
    filtered = ("--filter", "demo_mode=0")
    whole, some, rollups = await asyncio.gather(
        run(database_url, *ndjson, "--received-at"),
        run(database_url, *ndjson, "--filter", "where=tool_name = Home and properties.n exists", *filtered),
        run(database_url, *ndjson, "--of", "rollups"),
    )  # fmt: skip
    rows = [json.loads(line) for line in whole.output.split("\n")[:-1]]
    assert len(rows) == 300
    assert all(row["received_at"] for row in rows)
    passing = [
        row["event_id"]
        for row in rows
        if row["tool_name"] == "Home" and "n" in (row["properties"] or {}) and not row["demo_mode"]
    ]
    assert [json.loads(line)["event_id"] for line in some.output.split("\n")[:-1]] == passing
    assert some.errors.startswith(f"export: {len(passing)} events from ")
    assert some.errors.endswith(" bytes of ndjson to standard output\n")
    totals = [json.loads(line) for line in rollups.output.split("\n")[:-1]]
    assert sum(row["value"] for row in totals if row["measure"] == "total_events") == 300
    assert {each.code for each in (whole, some, rollups)} == {0}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--filter", "plan=pro"], "error: --filter 'plan=pro': expected name=value, names are action, "),
        (["--filter", "action"], "error: --filter 'action': expected name=value, names are action, "),
        (["--filter", "action=a", "--filter", "action=b"], "error: --filter action=: expected once, given again\n"),
        (["--filter", "demo_mode=2"], "error: demo_mode must be 0 or 1, not '2'\n"),
        (
            ["--of", "rollups", "--filter", "action=a"],
            "error: action applies only to events: leave it out, or export events\n",
        ),
        (["--from", "then", "--to", "now"], "error: from must be a time such as 2025-10-18T01:00:00Z, not 'then'\n"),
        (["--from", "2001-01-01", "--to", "2001-01-02"], "error: events before "),
    ],
)
async def test_what_cannot_be_done_is_said_in_one_line(
    database: Database, database_url: str, tmp_path: Path, arguments: list[str], said: str
) -> None:
    await database.only(database.statements.advance_horizon, 0, RETENTION_DAYS, NOW, True)
    ended = await run(database_url, "--output", tmp_path / "out.csv", *arguments)
    assert (ended.code, ended.output) == (2, "")
    assert ended.errors.startswith(said)
    assert ended.errors.count("\n") == 1
    assert os.listdir(tmp_path) == []  # noqa: PTH208  # ruff forbids pathlib's iterdir in a coroutine


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "2025-10-18"], "error: FROM= must be given: a range needs both FROM= and TO=\n"),
        (["--from", "x", "--hours", "2"], "error: HOURS= cannot be given together with FROM= or TO=\n"),
        (["--filter", "demo_mode=2"], "error: FILTER=demo_mode must be 0 or 1, not '2'\n"),
        (["--filter", "action"], "error: FILTER='action': expected name=value, names are action, "),
    ],
)
async def test_under_make_errors_name_what_was_typed(
    database_url: str, tmp_path: Path, arguments: list[str], said: str
) -> None:
    ended = await run(database_url, "--output", tmp_path / "out.csv", *arguments, HOURLEDGER_TYPED="make export")
    assert (ended.code, ended.output) == (1, "")
    assert ended.errors.startswith(said)


async def test_the_ending_names_the_format_and_the_last_line_the_usual_range(
    database: Database, database_url: str, tmp_path: Path
) -> None:
    await fill(database, tmp_path)
    forms = {"a.csv": "csv", "b.NDJSON": "ndjson", "c.jsonl": "ndjson", "d.parquet": "parquet", "e.txt": "csv"}
    ended = await asyncio.gather(*(run(database_url, "--output", tmp_path / name) for name in forms))
    for each, (name, form) in zip(ended, forms.items(), strict=True):
        assert f" bytes of {form} to {tmp_path / name}\n" in each.output
        assert " (the usual range; --hours 8784 takes a year)" in each.output
    other = await run(database_url, "--format", "ndjson", "--hours", "24", "--output", tmp_path / "f.csv")
    assert " bytes of ndjson to " in other.output
    assert "usual" not in other.output


async def test_a_file_that_exists_stays_unless_it_may_go(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("before")
    refused, typed = await asyncio.gather(
        run(database_url, "--output", file),
        run(database_url, "--output", file, HOURLEDGER_TYPED="make export"),
    )
    said = f"error: {file} exists: an export does not overwrite files, choose another name or add"
    assert refused == Ended(2, "", f"{said} --force\n")
    assert typed == Ended(1, "", f"{said} FORCE=1\n")
    assert file.read_text() == "before"
    assert (await run(database_url, "--force", "--output", file)).code == 0
    assert file.read_text().startswith("event_id,")


async def test_a_file_that_cannot_be_written_is_named(database_url: str, tmp_path: Path) -> None:
    ended = await run(database_url, "--output", tmp_path / "none" / "out.csv")
    assert ended == Ended(2, "", f"error: {tmp_path / 'none' / 'out.csv'}: No such file or directory\n")


async def test_an_interrupted_export_leaves_the_file_of_before(database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    file.write_text("before")
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute("lock table events in access exclusive mode")
            process = await start(database_url, "--force", "--output", file)
            await until_waited_for(holder)
            process.send_signal(signal.SIGINT)
            _, errors = await process.communicate()
    finally:
        await holder.close()
    assert (process.returncode, errors.decode()) == (2, "error: interrupted\n")
    assert os.listdir(tmp_path) == ["out.csv"]  # noqa: PTH208  # as above
    assert file.read_text() == "before"


def write_half(file: BinaryIO, folder: Path) -> None:
    file.write(b"half")
    file.flush()
    assert [each.name for each in folder.iterdir()] == ["out.csv.partial"]
    raise OSError(28, "No space left on device")


def test_half_a_file_never_has_the_name(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with pytest.raises(ExportFailed, match=r"out.csv: No space left"), _file(str(path)) as file:
        write_half(file, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with _file(str(path)) as file:
        file.write(b"whole")
    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("out.csv", b"whole")]


def test_a_device_stays_one() -> None:
    with _file("/dev/null") as file:
        file.write(b"gone")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)
