"""FILE.rejected.ndjson: the rows of an import that were rejected, each with its reason. It appears whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import BinaryIO

import msgspec

from service.errors import describe
from service.imports.formats import Row

_SHOWN_CHARACTERS = 2_000


def rejected_path(source: Path) -> Path:
    """Return the place of the file that names the rejected rows of another."""
    return source.with_name(f"{source.name}.rejected.ndjson")


class RejectedRows:
    """Collects rejected rows on disk."""

    def __init__(self, source: Path) -> None:
        self.path = rejected_path(source)
        self._lines: BinaryIO = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `close`

    def close(self) -> None:
        """Forget what was not published."""
        self._lines.close()

    def add(self, row: Row, code: str, message: str, field: str | None) -> None:
        """Name a rejected row: `{"line", "code", "message", "field"?, "row"}`, the row cut after 2,000 characters."""
        text = row.text.decode(errors="backslashreplace")
        cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}…"
        line = {"line": row.line, **describe(code, message, field), "row": cut}
        self._lines.write(msgspec.json.encode(line) + b"\n")

    def publish(self, *, complete: bool) -> None:
        """Put the file in its place; without rows remove the one of a former run, if this run was complete."""
        if self._lines.tell():
            self._lines.seek(0)
            unfinished = self.path.with_name(f".{self.path.name}.{os.getpid()}")
            with unfinished.open("xb") as file:
                shutil.copyfileobj(self._lines, file)
            unfinished.replace(self.path)
        elif complete:
            self.path.unlink(missing_ok=True)
