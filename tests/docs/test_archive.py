"""Snippets of the page about the archive run on an archive."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import duckdb
import pytest

from sql.archive.duck import statement
from sql.database import Database
from sql.digest import digest_text
from tests.docs.pages import Block, blocks
from tests.integration.projections.archive.test_writing import day_events
from tests.support.archive import DAY_START, append_and_archive, current

APPENDED = "select events, digest_high, digest_low from appended(0, $1)"


@pytest.mark.parametrize("block", blocks("python"), ids=str)
async def test_a_reader_reads_the_files(database: Database, tmp_path: Path, block: Block) -> None:
    await append_and_archive(database, day_events(50, hours=2), tmp_path / "archive")
    script = [sys.executable, "-c", block.text]
    told = await asyncio.to_thread(subprocess.run, script, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "page_viewed" in told.stdout
    assert f"{DAY_START:%Y-%m-%d}" in told.stdout


@pytest.mark.parametrize("block", blocks("duckdb"), ids=str)
async def test_anyone_can_prove_a_file(database: Database, database_url: str, tmp_path: Path, block: Block) -> None:
    await append_and_archive(database, day_events(50, hours=1), tmp_path)
    connection = await asyncpg.connect(database_url)
    try:
        (file,) = (await current(connection)).values()
        row = await connection.fetchrow(APPENDED, DAY_START)
    finally:
        await connection.close()
    assert row is not None
    text = re.sub(r"'[^']*\.parquet'", f"'{tmp_path / file}'", block.text)
    assert duckdb.connect().execute(text).fetchall() == [
        (f"{DAY_START:%Y-%m-%dT%H:%MZ}", row["events"], digest_text(row["digest_high"], row["digest_low"]))
    ]


@pytest.mark.parametrize("block", blocks("duckdb"), ids=str)
def test_it_is_the_statement_that_we_use(block: Block) -> None:
    ours = (
        statement("count_hours").partition("with texts")[2].partition("\nselect\n    shard,\n    hour,\n    count")[0]
    )
    theirs = (
        re.sub(r"'[^']*\.parquet'", "$file", block.text).partition("with texts")[2].partition("\nselect\n    strf")[0]
    )
    assert theirs == ours
