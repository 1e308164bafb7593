"""Creates, rotates, revokes and forgets keys. Services that run know it within a second."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from service.access.errors import WrongState
from service.access.keys import PREFIX, PREFIX_LENGTH, Kind, digest_of, new_key
from service.access.labels import check_label
from service.access.sites import SHOWN
from service.errors import InvalidParameter, NotFound
from sql.database import Database

HOW_TO_LIST = "`python -m service keys list` lists the keys"


@dataclass(frozen=True, slots=True)
class Rotated:
    """A new key, which stands here alone, and until when the older one is valid."""

    key: str
    older_expires_at: datetime


async def create_key(
    database: Database, kind: Kind, site: int | None, *, label: str = "", expires_at: datetime | None = None
) -> str:
    """Create a key and return it; nothing can return it again. site: None for all sites.

    Raises InvalidParameter for a label, and sql.errors.DatabaseError.
    """
    check_label(label)
    key = new_key(kind)
    await database.only(
        database.statements.add_key, key[:PREFIX_LENGTH], digest_of(key), kind.value, site, label, expires_at
    )
    return key


async def rotate_key(database: Database, prefix: str, overlap: timedelta) -> Rotated:
    """Create a key of the same kind, site, label and lifetime. The older one stays valid for `overlap` at most.

    Raises NotFound, WrongState, InvalidParameter, and sql.errors.DatabaseError.
    """
    kind = _kind_of(prefix)
    key = new_key(kind)
    rows = await database.rows(database.statements.rotate_key, prefix, key[:PREFIX_LENGTH], digest_of(key), overlap)
    if not rows:
        await _check_exists(database, prefix)
        raise WrongState(f"the key {prefix} is revoked or expired: create another one", "prefix")
    return Rotated(key, rows[0]["older_expires_at"])


async def revoke_key(database: Database, prefix: str) -> None:
    """Revoke a key. Raises NotFound, InvalidParameter, and sql.errors.DatabaseError."""
    _kind_of(prefix)
    if not await database.rows(database.statements.revoke_key, prefix):
        raise _unknown(prefix)


async def forget_key(database: Database, prefix: str) -> None:
    """Delete a key that is revoked or expired. A site without any key of a kind needs none of it any more.

    Raises NotFound, WrongState, InvalidParameter, and sql.errors.DatabaseError.
    """
    _kind_of(prefix)
    if not await database.rows(database.statements.forget_key, prefix):
        await _check_exists(database, prefix)
        raise WrongState(f"the key {prefix} is valid: revoke it first", "prefix")


def _kind_of(prefix: str) -> Kind:
    if not PREFIX.fullmatch(prefix):
        # The message leaves the value out, because it may be a whole key.
        raise InvalidParameter(
            "PREFIX must be the first 12 characters of a key, such as hlw_4fQ0aZ9k, and no more", "prefix"
        )
    return next(kind for kind in Kind if kind[0] == prefix[2])


async def _check_exists(database: Database, prefix: str) -> None:
    if prefix not in {row["prefix"] for row in await database.rows(database.statements.list_keys)}:
        raise _unknown(prefix)


def _unknown(prefix: str) -> NotFound:
    return NotFound(f"there is no key {prefix[:SHOWN]}; {HOW_TO_LIST}", "prefix")
