"""Backups of the embedded PostgreSQL, by its own pg_dump and pg_restore."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from tempfile import TemporaryFile, mkstemp
from typing import BinaryIO

from service.console import progress
from sql.database import Database
from sql.durable import sync
from sql.embedded.share import EmbeddedServer

LOOK_SECONDS = 0.2
DUMP = ("pg_dump", "--format=custom")
# Restores in one transaction, so that a restore that fails midway leaves an empty database.
RESTORE = ("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
ANALYZE = ("vacuumdb", "--analyze-only", "--quiet")


class BackupFailed(Exception):
    """A backup or a restore failed. The message is one line."""


def back_up(file: Path, server: EmbeddedServer) -> int:
    """Write the database as it is now to `file`, which only its owner can read. Return the size in bytes.

    The file appears only once it is complete and on disk. Raises BackupFailed and sql.errors.DatabaseError.
    """
    with _one_line_errors(file):
        if os.path.lexists(file):
            raise BackupFailed(f"{file} exists: a backup does not overwrite files, choose another name")
        if not asyncio.run(_present(server, "has_schema")):
            raise BackupFailed(f"the database in {server.postgres.data_dir} is empty: there is nothing to back up")
        descriptor, name = mkstemp(dir=file.parent, prefix=f"{file.name}.")
        os.close(descriptor)
        part = Path(name)
        try:
            _run(server, "backup", *DUMP, f"--file={part.resolve()}", place=lambda: part.stat().st_size)
            sync(part)
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
        sync(file.parent)
        return file.stat().st_size


def restore(file: Path, server: EmbeddedServer) -> int:
    """Read a backup into a database without tables; return its size in bytes.

    Raises BackupFailed, having changed nothing, and sql.errors.DatabaseError.
    """
    with _one_line_errors(file), file.open("rb") as archive:
        if asyncio.run(_present(server, "has_tables")):
            raise BackupFailed(
                f"the database in {server.postgres.data_dir} is not empty: stop the service and move that folder away,"
                " or set HOURLEDGER_DATA_DIR to another"
            )
        descriptor = archive.fileno()
        size = os.fstat(descriptor).st_size
        # pg_restore shares this open file, so that this process can see its place in the file.
        place = partial(os.lseek, descriptor, 0, os.SEEK_CUR)
        _run(server, "restore", *RESTORE, reads=archive, size=size, place=place)
        # Gather statistics now, because PostgreSQL plans queries badly without them.
        _run(server, "analyze", *ANALYZE)
        return size


async def _present(server: EmbeddedServer, query: str) -> bool:
    database = Database(server.url, connections=1)
    try:
        return bool((await database.only(getattr(database.statements, query)))["present"])
    finally:
        await database.close()


def _run(
    server: EmbeddedServer,
    name: str,
    program: str,
    *options: str,
    reads: BinaryIO | None = None,
    size: int = 0,
    place: Callable[[], int] = int,
) -> None:
    """Run a program on the database to its end. Show progress, from its place in a file of `size` bytes.

    Raises BackupFailed with the program's own message.
    """
    with TemporaryFile() as told:
        process = Popen(
            [server.postgres.binaries / program, *options, f"--dbname={server.url}"],
            env={"PATH": os.defpath, "LC_ALL": "C"},
            stdin=reads or DEVNULL,
            stdout=DEVNULL,
            stderr=told,
        )
        try:
            _show(process, name, size, place)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            told.seek(0)
            lines = told.read().decode(errors="replace").splitlines()
            said = next((line for line in lines if "error: " in line), f"{program}: error: {process.returncode}")
            whose = f"{reads.name}: " if reads else ""
            raise BackupFailed(whose + said.replace("error: ", "", 1))


def _show(process: Popen[bytes], name: str, size: int, place: Callable[[], int]) -> None:
    with progress(name, size, "bytes") as meter:
        done = 0
        while process.poll() is None:
            now = max(place(), done)
            meter.advance(now - done)
            done = now
            with suppress(TimeoutExpired):
                process.wait(LOOK_SECONDS)


@contextmanager
def _one_line_errors(file: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackupFailed(f"{file}: {error.strerror or error}") from error
