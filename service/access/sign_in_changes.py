"""Begins and ends sign-ins. Services that run know it within a second."""

from __future__ import annotations

from datetime import timedelta

from service.access.keys import PREFIX_LENGTH, digest_of, new_secret
from service.access.sign_ins import LETTER, digest_with
from service.access.sites import SHOWN
from service.errors import NotFound
from sql.database import Database

LASTS = timedelta(days=30)
# The most sign-ins of one key, because every process knows them all. The oldest one ends for the next.
MOST_OF_KEY = 100


async def begin_sign_in(database: Database, *, key: str | None = None, token: str = "") -> str:
    """Begin a sign-in by a key, or by the read token; return its cookie. key: the prefix of the key.

    Raises sql.errors.DatabaseError.
    """
    cookie = new_secret(LETTER)
    digest = digest_of(cookie) if key is not None else digest_with(cookie, token)
    await database.only(database.statements.add_sign_in, cookie[:PREFIX_LENGTH], digest, key, LASTS, MOST_OF_KEY)
    return cookie


async def end_sign_in(database: Database, prefix: str) -> None:
    """End a sign-in. Raises NotFound, and sql.errors.DatabaseError."""
    if not await database.rows(database.statements.end_sign_in, prefix):
        raise NotFound(f"there is no sign-in {prefix[:SHOWN]!r}", "prefix")
