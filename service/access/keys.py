"""The keys that a process knows, and what each kind of key may do.

A key is `hlw_`, `hls_`, `hlr_` or `hla_`, 8 characters that find it, `_`, and 32 characters that are the secret. The
first 12 characters are its prefix. The service keeps the prefix and the SHA-256 of the key. The secret has 190 random
bits, so that a slow hash would protect it no better. Sign-ins (`hlc_`) and share links (`hll_`) have the same form.
"""

from __future__ import annotations

import hmac
import re
import secrets
import string
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from sql.database import Row

ALPHABET = string.digits + string.ascii_letters
FOUND_BY = 8
SECRET = 32
PREFIX = re.compile(rf"hl[wsra]_[0-9A-Za-z]{{{FOUND_BY}}}", re.ASCII)
PREFIX_LENGTH = len("hlw_") + FOUND_BY
_LIKE_A_KEY = re.compile(r"hl[wsracl]_")


class Kind(StrEnum):
    """The kinds of keys, as the table keys has them."""

    WRITE = "write"
    SERVER = "server"
    READ = "read"
    ADMIN = "admin"


class Right(StrEnum):
    """What a request does: it sends events, it asks, it changes what the service keeps beside events, or who may do so.

    SETTINGS are sites, keys, links and sign-ins, also to look at.
    """

    EVENTS = "sending events"
    READS = "reading"
    CHANGES = "saving and deleting"
    SETTINGS = "changing settings"


RIGHTS: Mapping[Kind, frozenset[Right]] = {
    Kind.WRITE: frozenset({Right.EVENTS}),
    Kind.SERVER: frozenset({Right.EVENTS}),
    Kind.READ: frozenset({Right.READS}),
    Kind.ADMIN: frozenset(Right),
}
# A site needs a key for something as soon as it has a key of one of these kinds. An admin key alone closes no site for
# events, because pages must not carry it. Settings are never open.
CLOSED_BY: Mapping[Right, frozenset[Kind]] = {
    Right.EVENTS: frozenset({Kind.WRITE, Kind.SERVER}),
    Right.READS: frozenset({Kind.READ, Kind.ADMIN}),
    Right.CHANGES: frozenset({Kind.READ, Kind.ADMIN}),
}


@dataclass(frozen=True, slots=True)
class Key:
    """A key as the database has it. site: the number of its site, None for all sites. expires_at: None for never."""

    prefix: str
    digest: bytes
    kind: Kind
    site: int | None
    expires_at: datetime | None = None
    revoked: bool = False

    def is_expired(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


class Keys:
    """The known keys by prefix, revoked and expired ones included.

    These go on closing their site, because a site must not become open by the end of its last key.
    """

    def __init__(self) -> None:
        self._by_prefix: Mapping[str, Key] = {}
        self._closed: Mapping[Right, frozenset[int | None]] = dict.fromkeys(CLOSED_BY, frozenset())

    def replace(self, keys: Iterable[Key]) -> None:
        """Know these keys from now on, and no others."""
        by_prefix = {key.prefix: key for key in keys}
        closed = {
            right: frozenset(key.site for key in by_prefix.values() if key.kind in kinds)
            for right, kinds in CLOSED_BY.items()
        }
        self._by_prefix, self._closed = by_prefix, closed

    def found(self, text: str) -> Key | None:
        """Return the key that a text is, valid or not. It takes as long for every secret."""
        key = self._by_prefix.get(text[:PREFIX_LENGTH])
        if key is None or not hmac.compare_digest(digest_of(text), key.digest):
            return None
        return key

    def named(self, prefix: str) -> Key | None:
        """Return the key of a prefix, valid or not."""
        return self._by_prefix.get(prefix)

    def close(self, right: Right, site: int) -> bool:
        """Return whether a site needs a key for something."""
        closed = self._closed[right]
        return site in closed or None in closed

    def close_any(self, right: Right) -> bool:
        """Return whether any site needs a key for something."""
        return bool(self._closed[right])


def is_like_a_key(text: str) -> bool:
    """Tell whether a text begins as keys do, whatever was lost or added when it was copied."""
    return _LIKE_A_KEY.match(text) is not None


def key_of(row: Row) -> Key:
    """Return the key of a row of list_keys."""
    return Key(
        row["prefix"], row["digest"], Kind(row["kind"]), row["site"], row["expires_at"], row["revoked_at"] is not None
    )


def new_key(kind: Kind, choose: Callable[[str], str] = secrets.choice) -> str:
    """Return a new key. It is the only time that the service has all of it."""
    return new_secret(kind[0], choose)


def new_secret(letter: str, choose: Callable[[str], str] = secrets.choice) -> str:
    """Return a new text in the form of keys. letter: tells what it is for."""
    found_by, secret = ("".join(choose(ALPHABET) for _ in range(count)) for count in (FOUND_BY, SECRET))
    return f"hl{letter}_{found_by}_{secret}"


def digest_of(text: str) -> bytes:
    """Return the SHA-256 of a key."""
    return sha256(text.encode()).digest()
