"""The server that a command works on: the configured server, or the embedded one, started and stopped as needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sql.embedded.folders import has_data
from sql.embedded.share import use
from sql.errors import EmbeddedError, Unreachable


@contextmanager
def server(url: str | None, data_dir: Path, *, makes: bool = False) -> Iterator[str]:
    """Yield the URL of the database to work on: `url` if given, else the embedded one of `data_dir`.

    makes: make the embedded database when there is none. Raises sql.errors.EmbeddedError, and sql.errors.Unreachable
    when the work in the block meets it, with a message that names DATABASE_URL.
    """
    if url is not None:
        try:
            yield url
        except Unreachable as error:
            raise Unreachable(f"the database of DATABASE_URL cannot be reached: {error}") from error
        return
    if not makes:
        check_made(data_dir)
    with use(data_dir) as embedded:
        yield embedded.url


def check_made(data_dir: Path) -> None:
    """Raise EmbeddedError when a data directory has no database, which a mistyped name would make."""
    if not has_data(data_dir):
        raise EmbeddedError(
            f"there is no database in {data_dir.absolute()}: make serve makes one,"
            " or set HOURLEDGER_DATA_DIR to the folder that has it"
        )
