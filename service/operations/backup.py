"""Backups of the embedded PostgreSQL, by its own pg_dump and pg_restore."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from io import BufferedReader
from pathlib import Path
from subprocess import DEVNULL, Popen, TimeoutExpired
from tarfile import is_tarfile
from tempfile import NamedTemporaryFile, TemporaryFile, mkstemp
from typing import IO

from service.console import CommandFailed, progress
from service.operations.bundle import (
    NotWhole,
    check_bundle,
    check_folder,
    copy_dump,
    put_files,
    write_bundle,
)
from sql.database import Database
from sql.durable import sync
from sql.embedded.share import EmbeddedServer

LOOK_SECONDS = 0.2
WHOLE = ("pg_dump", "--format=custom")
# Without the archive's catalog, because its files are not in the backup: they are written anew from the log.
DUMP = (*WHOLE, "--exclude-table-data=archive_files", "--exclude-table-data=archive_hours")
# The transaction that keeps the archive's files waits for pg_dump.
PATIENT = {"idle_in_transaction_session_timeout": "0"}
# Restores in one transaction, so that a restore that fails midway leaves an empty database.
RESTORE = ("pg_restore", "--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges")
ANALYZE = ("vacuumdb", "--analyze-only", "--quiet")


class BackupFailed(CommandFailed):
    """A backup or a restore failed. The message is one line."""


def back_up(file: Path, server: EmbeddedServer, archive: Path) -> tuple[int, list[str]]:
    """Write the database as it is now to `file`, which only its owner can read.

    The file is a dump, or a bundle when days have no rows. Return the size in bytes, and the files of such days that
    are left out, because they are damaged. The file appears only once it is complete and on disk. Raises BackupFailed
    and sql.errors.DatabaseError.
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
            left_out = asyncio.run(_write(part, server, archive))
            sync(part)
            part.rename(file)
        finally:
            part.unlink(missing_ok=True)
        sync(file.parent)
        return file.stat().st_size, left_out


async def _write(part: Path, server: EmbeddedServer, archive: Path) -> list[str]:
    """Write a backup of one moment. Return the files that are left out."""
    database = Database(server.url, connections=1)
    statements = database.statements
    try:
        async with database.snapshot() as session:
            await session.configure(PATIENT)
            # No file is deleted while this transaction, which has read the catalog, is open.
            files = [row["file"] for row in await session.rows(statements.list_kept_files)]
            archive_id = str((await session.only(statements.read_archive_id))["archive_id"])
            snapshot = f"--snapshot={(await session.only(statements.lend_snapshot))['snapshot']}"
            if not files:
                await asyncio.to_thread(_dump, part, server, *DUMP, snapshot)
                return []
            return await asyncio.to_thread(_bundle, part, server, snapshot, archive, archive_id, files)
    finally:
        await database.close()


def _dump(part: Path, server: EmbeddedServer, *command: str) -> None:
    _run(server, "backup", *command, f"--file={part.resolve()}", place=lambda: part.stat().st_size)


def _bundle(
    part: Path, server: EmbeddedServer, snapshot: str, archive: Path, archive_id: str, files: list[str]
) -> list[str]:
    with NamedTemporaryFile(dir=part.parent, prefix=f"{part.name}.") as dumped:
        _dump(Path(dumped.name), server, *WHOLE, snapshot)
        return write_bundle(part, Path(dumped.name), archive, archive_id, files)


def restore(file: Path, server: EmbeddedServer, archive_dir: Path) -> int:
    """Read a backup into a database without tables, and its files into the archive; return its size in bytes.

    Raises BackupFailed, having changed nothing that counts, and sql.errors.DatabaseError.
    """
    with _one_line_errors(file), file.open("rb") as archive:
        if asyncio.run(_present(server, "has_tables")):
            raise BackupFailed(
                f"the database in {server.postgres.data_dir} is not empty: stop the service and move that folder away,"
                " or set HOURLEDGER_DATA_DIR to another"
            )
        if is_tarfile(archive):
            _read_bundle(server, archive, archive_dir)
        else:
            _read(server, archive)
        # Gather statistics now, because PostgreSQL plans queries badly without them.
        _run(server, "analyze", *ANALYZE)
        return os.fstat(archive.fileno()).st_size


def _read(server: EmbeddedServer, archive: IO[bytes]) -> None:
    descriptor = archive.fileno()
    os.lseek(descriptor, 0, os.SEEK_SET)
    size = os.fstat(descriptor).st_size
    # pg_restore shares this open file, so that this process can see its place in the file.
    place = partial(os.lseek, descriptor, 0, os.SEEK_CUR)
    _run(server, "restore", *RESTORE, reads=archive, size=size, place=place)


def _read_bundle(server: EmbeddedServer, bundle: BufferedReader, archive: Path) -> None:
    """Restore a bundle. Its files are on disk before the catalog says that they are."""
    try:
        manifest = check_bundle(bundle)
        check_folder(archive, manifest.archive)
        put_files(bundle, manifest, archive)
    except NotWhole as error:
        raise BackupFailed(f"{bundle.name}: {error}") from error
    with TemporaryFile(dir=archive) as dump:
        copy_dump(bundle, dump)
        dump.flush()
        _read(server, dump)
    asyncio.run(_forget(server))


async def _forget(server: EmbeddedServer) -> None:
    database = Database(server.url, connections=1)
    try:
        await database.rows(database.statements.forget_hours_with_rows)
    finally:
        await database.close()


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
    reads: IO[bytes] | None = None,
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
            whose = f"{reads.name}: " if reads and isinstance(reads.name, str) else ""
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
