"""Adds, renames and retires sites. Services that run know it within a second (R12)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from service.access.errors import NameTaken
from service.access.sites import HOW_TO_LIST, SHOWN, Site, Sites, read_sites
from service.errors import Impossible, InvalidParameter, UnknownSite
from sql.database import Database
from sql.errors import Refused

# As the table sites has it.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
MOST_SHARDS = 64


async def add_site(
    database: Database, name: str, *, time_zone: str = "UTC", origins: Sequence[str] = (), shards: int = 1
) -> Site:
    """Add a site with shards of its own; return it. A rebuild under way covers it, too.

    time_zone: an IANA name. origins: as browsers send them. shards: from 1 to MOST_SHARDS, for ever.
    Raises InvalidParameter, NameTaken, and sql.errors.DatabaseError.
    """
    _check_name(name)
    try:
        await database.only(database.statements.add_site, name, time_zone, [*origins], shards)
    except Refused as error:
        raise await _why_refused(database, name, error) from error
    return (await read_sites(database)).named(name)


async def rename_site(database: Database, name: str, to: str) -> None:
    """Give a site another name. Raises UnknownSite, InvalidParameter, NameTaken, and sql.errors.DatabaseError."""
    _check_name(to)
    try:
        rows = await database.rows(database.statements.rename_site, name, to)
    except Refused as error:
        raise await _why_refused(database, to, error) from error
    if not rows:
        raise _unknown(name)


async def retire_site(database: Database, name: str) -> None:
    """Retire a site: it takes no events any more, and its data goes by retention.

    Raises UnknownSite, Impossible for the default site, and sql.errors.DatabaseError.
    """
    sites: Sites = await read_sites(database)
    if sites.named(name).is_default:
        raise Impossible(f"{name!r} is the default site, which cannot be retired: requests that name no site mean it")
    if not await database.rows(database.statements.retire_site, name):
        raise _unknown(name)


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"name must be 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit, not {name[:SHOWN]!r}",
            "name",
        )


async def _why_refused(database: Database, name: str, error: Refused) -> Exception:
    if name in {site.name for site in await read_sites(database)}:
        return NameTaken(f"there is a site {name!r} already; {HOW_TO_LIST}", "name")
    return error


def _unknown(name: str) -> UnknownSite:
    return UnknownSite(f"there is no site {name[:SHOWN]!r}; {HOW_TO_LIST}", "name")
