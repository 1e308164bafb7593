"""Creates and revokes share links. Services that run know it within a second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from service.access.keys import PREFIX_LENGTH, digest_of, new_secret
from service.access.labels import check_label
from service.access.share_links import LETTER, View
from service.errors import InvalidParameter, NotFound, TooMany
from service.settings.values import origins as read_origins
from sql.database import Database

# Every process knows them all.
MOST_LINKS = 1_000
HOW_TO_LIST = "`python -m service links list` lists the links"


async def create_link(
    database: Database, site: int, view: View, *, expires_at: datetime, label: str = "", origins: Sequence[str] = ()
) -> str:
    """Create a link and return its secret; nothing can return it again. site: its number.

    Raises InvalidParameter, TooMany, and sql.errors.DatabaseError.
    """
    check_label(label)
    secret = new_secret(LETTER)
    rows = await database.rows(
        database.statements.add_share_link,
        secret[:PREFIX_LENGTH],
        digest_of(secret),
        site,
        label,
        view.hours,
        view.since,
        view.until,
        msgspec.json.encode(view.filters).decode(),
        embedding_origins(origins),
        expires_at,
        MOST_LINKS,
    )
    if not rows:
        raise TooMany(f"there are {MOST_LINKS} links already: revoke one first")
    return secret


async def revoke_link(database: Database, prefix: str) -> None:
    """Revoke a link. Raises NotFound, and sql.errors.DatabaseError."""
    if not await database.rows(database.statements.revoke_share_link, prefix[:PREFIX_LENGTH]):
        raise NotFound(f"there is no link {prefix[:PREFIX_LENGTH]}; {HOW_TO_LIST}", "prefix")


def address_of(secret: str) -> str:
    """Return the address of a link, relative to that of the service.

    The secret stands after #, which browsers never send, so that no log of a server or a proxy has it.
    """
    return f"shared?link={secret[:PREFIX_LENGTH]}#{secret[PREFIX_LENGTH + 1 :]}"


def embedding_origins(given: Sequence[str]) -> list[str]:
    """Return origins as browsers send them. Raises InvalidParameter."""
    try:
        found = list(dict.fromkeys(origin for each in given for origin in read_origins(each)))
    except ValueError as error:
        raise InvalidParameter(f"origins {error}", "origins") from error
    if "*" in found:
        raise InvalidParameter("origins must name the sites that may embed the view, which * does not", "origins")
    return found
