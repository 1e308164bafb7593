"""What ends an import."""

from __future__ import annotations


class NotImportable(Exception):
    """The file, or the rest of it, cannot be read. The message is one line."""
