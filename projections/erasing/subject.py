"""Whom an erasure is about, and what stays of the name: a keyed hash, whose key is in no database and no backup."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from projections.archive.folder import make_private
from sql.durable import sync

USER, SESSION = "user", "session"
KEY_BYTES = 32


class BadKey(OSError):
    """The file of the key does not hold one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A user or a session of a site. kind: USER or SESSION. id: as events have it."""

    kind: str
    id: str

    def hashed(self, key: bytes) -> bytes:
        """Return HMAC-SHA-256 of kind, NUL and id. No id holds a NUL character."""
        return hmac.digest(key, f"{self.kind}\0{self.id}".encode(), "sha256")


def read_key(file: Path, *, makes: bool = True) -> bytes:
    """Return the key of erasures: 64 hexadecimal digits in a file that only its owner can read.

    makes: make the file when there is none. Raises BadKey and other OSErrors.
    """
    if makes:
        make_private(file.parent)
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            pass
        else:
            with os.fdopen(descriptor, "w") as made:
                made.write(secrets.token_hex(KEY_BYTES) + "\n")
                made.flush()
                os.fsync(made.fileno())
            sync(file.parent)
    try:
        key = bytes.fromhex(file.read_text(encoding="ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise BadKey(f"{file} must hold {2 * KEY_BYTES} hexadecimal digits, the key of erasures: put it back")
    return key
