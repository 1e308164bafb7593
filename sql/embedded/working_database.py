"""The server that a command works on: the configured server, or the embedded one, started and stopped as needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sql.embedded.share import use


@contextmanager
def server(url: str | None, data_dir: Path) -> Iterator[str]:
    """Yield the URL of the database to work on: `url` if given, else the embedded one of `data_dir`.

    Raises sql.errors.EmbeddedError.
    """
    if url is not None:
        yield url
        return
    with use(data_dir) as embedded:
        yield embedded.url
