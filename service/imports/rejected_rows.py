"""FILE.rejected.ndjson: the rejected rows of an import, each with its reason.

It appears only once it is complete, and only its owner can read it, because rows hold the ids of people.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from service.errors import describe
from service.imports.formats import Row
from sql.durable import private

_SHOWN_CHARACTERS = 2_000


def rejected_path(source: Path) -> Path:
    """Return the path of the list of rejected rows of a file."""
    return source.with_name(f"{source.name}.rejected.ndjson")


class RejectedRows:
    """Collects rejected rows on disk."""

    def __init__(self, source: Path) -> None:
        self.path = rejected_path(source)
        self._lines: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`

    def close(self) -> None:
        """Drop the collected rows. A published list stays."""
        self._lines.close()

    def add(self, row: Row, code: str, message: str, field: str | None) -> None:
        """Add a line `{"line", "code", "message", "field"?, "row"}`. `row` is cut after 2,000 characters."""
        text = row.text.decode(errors="backslashreplace")
        cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
        line = {"line": row.line, **describe(code, message, field), "row": cut}
        self._lines.write(msgspec.json.encode(line) + b"\n")

    def publish(self, *, complete: bool) -> None:
        """Write the list to its path. A complete run without rejected rows removes an earlier list. Raises OSError."""
        if self._lines.tell():
            self._lines.seek(0)
            unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            with open(unfinished, "xb", opener=private) as file:  # Path.open takes no opener
                shutil.copyfileobj(self._lines, file)
            unfinished.replace(self.path)
        elif complete:
            self.path.unlink(missing_ok=True)
