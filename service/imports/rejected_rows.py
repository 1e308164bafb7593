"""FILE.rejected.ndjson: the rejected rows of an import, each with its reason.

It appears only once it is complete, and only its owner can read it, because rows hold the ids of people. Where the
file's folder cannot be written to, the list goes to the folder for temporary files.
"""

from __future__ import annotations

import errno
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
# The errors of a folder in which this user, or nobody, may make a file.
_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS)


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

    def publish(self, *, complete: bool) -> Path | None:
        """Write the list and return its path; None when no row was rejected.

        A complete run without rejected rows removes an earlier list. Raises OSError.
        """
        if self._lines.tell():
            try:
                self._write(self.path.with_name(f".{self.path.name}.{os.getpid()}"))
            except OSError as error:
                if error.errno not in _NOT_WRITABLE:
                    raise
                self.path = Path(tempfile.mkdtemp(prefix="hourledger-")) / self.path.name
                self._write(self.path.with_name("unfinished"))
            return self.path
        if complete and self.path.exists():
            self.path.unlink()
        return None

    def _write(self, unfinished: Path) -> None:
        self._lines.seek(0)
        with open(unfinished, "xb", opener=private) as file:  # Path.open takes no opener
            shutil.copyfileobj(self._lines, file)
        unfinished.replace(self.path)
