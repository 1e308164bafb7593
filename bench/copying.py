"""The peer of all bulk writes: psql copies the same rows into a table like the log."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

from bench.ground import Ground
from bench.rows import NotCounted
from sql.embedded.share import use

PEER = "COPY of the same rows by psql, one commit, same indexes"
# Ignore the user's psqlrc, never ask for a password, and stop at the first error.
OPTIONS = ("--no-psqlrc", "--no-password", "--set=ON_ERROR_STOP=1")
TIMED = re.compile(rb"COPY (\d+)\nTime: ([\d.]+) ms")


class Copying:
    """Copies the rows appended to the log since its last step. rows: how many so far."""

    def __init__(self, ground: Ground, psql: Path) -> None:
        self.rows = 0
        self._ground = ground
        self._psql = psql
        self._file = ground.folder / "copied.txt"

    async def step(self) -> float:
        """Copy; return rows per second, by psql's timing of the statement. A file holds the rows beforehand."""
        with self._file.open("wb") as file:
            await asyncio.to_thread(self._run, self._ground.statements.copy_out, stdout=file)
        with self._file.open("rb") as file:
            told = await asyncio.to_thread(self._run, r"\timing on", self._ground.statements.copy_in, stdin=file)
        timed = TIMED.search(told)
        if timed is None or timed[1] == b"0":
            raise NotCounted(f"psql copied nothing: {told[-200:]!r}")
        self.rows += int(timed[1])
        return int(timed[1]) / float(timed[2]) * 1000

    def _run(self, *commands: str, stdin: IO[bytes] | None = None, stdout: IO[bytes] | None = None) -> bytes:
        """Run psql with these commands, in order; return its output unless `stdout` takes it. Raises NotCounted."""
        done = subprocess.run(
            [self._psql, *OPTIONS, *(f"--command={each}" for each in commands), self._ground.url],
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=stdin or subprocess.DEVNULL,
            stdout=stdout or subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            told = done.stderr.decode(errors="replace").strip()
            raise NotCounted(f"psql ended with {done.returncode}: {told[-200:]}")
        return done.stdout or b""


@asynccontextmanager
async def copying(ground: Ground) -> AsyncIterator[Copying]:
    """Create the peer's table and yield the object that fills it. The log must still be empty, as the table is."""
    await ground.database.rows(ground.statements.create_copied)
    # The server runs already; this share in it gives the folder of its programs.
    with use(ground.folder / "data") as server:
        yield Copying(ground, server.postgres.binaries / "psql")
