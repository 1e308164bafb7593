"""The sign-ins that a process knows: who gave a key, or the read token, and got a cookie in its place.

A cookie has the form of keys and begins with `hlc_`. The service keeps its SHA-256. For a sign-in by the read token it
keeps the SHA-256 of cookie and token together. So such a sign-in ends when the token changes, and nobody can guess the
token from the database, because the cookie's 190 bits are not there.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from service.access.keys import PREFIX_LENGTH, digest_of
from sql.database import Row

LETTER = "c"


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in as the database has it. key: the prefix of its key, None for the read token."""

    prefix: str
    digest: bytes
    key: str | None
    expires_at: datetime


class SignIns:
    """The known sign-ins by prefix."""

    def __init__(self) -> None:
        self._by_prefix: Mapping[str, SignIn] = {}

    def replace(self, sign_ins: Iterable[SignIn]) -> None:
        """Know these sign-ins from now on, and no others."""
        self._by_prefix = {each.prefix: each for each in sign_ins}

    def knows(self, cookie: str) -> bool:
        """Return whether there is a sign-in of the cookie's prefix."""
        return cookie[:PREFIX_LENGTH] in self._by_prefix

    def found(self, cookie: str, token: str | None, now: datetime) -> SignIn | None:
        """Return the sign-in of a cookie, None when there is none or it has expired. token: the read token."""
        sign_in = self._by_prefix.get(cookie[:PREFIX_LENGTH])
        if sign_in is None or sign_in.expires_at <= now:
            return None
        digest = digest_of(cookie) if sign_in.key is not None else digest_with(cookie, token or "")
        return sign_in if hmac.compare_digest(digest, sign_in.digest) else None


def digest_with(cookie: str, token: str) -> bytes:
    """Return the SHA-256 of a sign-in by the read token."""
    return digest_of(f"{cookie} {token}")


def sign_in_of(row: Row) -> SignIn:
    """Return the sign-in of a row of list_sign_ins."""
    return SignIn(row["prefix"], row["digest"], row["key"], row["expires_at"])
