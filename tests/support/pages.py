"""Files of a database that are damaged on disk, as a failing disk damages them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from tests.support.servers import connected

PAGE = 8192
FILE = "select current_setting('data_directory') as folder, pg_relation_filepath($1::regclass) as file"
Harm = Callable[[Path], None]


def flipped(page: int, offset: int = 4096) -> Harm:
    """Flip 16 bytes of one page of a file."""

    def harm(file: Path) -> None:
        start = page * PAGE + offset
        content = bytearray(file.read_bytes())
        content[start : start + 16] = bytes(byte ^ 0xFF for byte in content[start : start + 16])
        file.write_bytes(content)

    return harm


def overwritten(old: bytes, new: bytes) -> Harm:
    """Replace some bytes by others of the same number, wherever they stand."""

    def harm(file: Path) -> None:
        content = file.read_bytes()
        assert old in content
        assert len(old) == len(new)
        file.write_bytes(content.replace(old, new))

    return harm


def missing(file: Path) -> None:
    """Remove a file."""
    file.unlink()


def emptied(file: Path) -> None:
    """Cut a file to nothing, as when its pages never reached the disk."""
    file.write_bytes(b"")


@asynccontextmanager
async def damaged_copy(url: str, relation: str, harm: Harm, *, checksums: bool = True) -> AsyncIterator[str]:
    """Give the URL of a copy of a database, with the file of one relation harmed before anybody reads it.

    Nobody may be connected to the database. checksums: without them PostgreSQL believes what it reads.
    """
    async with connected(url) as source:
        found = await source.fetchrow(FILE, relation)
    assert found is not None
    name, copied = f"damaged_{uuid4().hex}", urlsplit(url).path[1:]
    async with connected(database_url(url, "postgres")) as administrator:
        await administrator.execute(f'create database "{name}" template "{copied}" strategy file_copy')
    try:
        async with connected(database_url(url, "postgres")) as administrator:
            number = await administrator.fetchval("select oid from pg_database where datname = $1", name)
            if not checksums:
                await administrator.execute(f'alter database "{name}" set ignore_checksum_failure = on')
        harm(Path(found["folder"]) / "base" / str(number) / Path(found["file"]).name)
        yield database_url(url, name)
    finally:
        async with connected(database_url(url, "postgres")) as administrator:
            await administrator.execute(f'drop database "{name}" with (force)')


def database_url(url: str, name: str) -> str:
    """Return the URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
