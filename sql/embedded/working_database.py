"""The server that a command works on: one's own, or the embedded one, started if need be and stopped afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sql.embedded.share import use


@contextmanager
def server(url: str | None, data_dir: Path) -> Iterator[str]:
    """Give the URL of the database to work on; `url` when it is given. Raises sql.embedded.share.EmbeddedError."""
    if url is not None:
        yield url
        return
    with use(data_dir) as embedded:
        yield embedded.url
