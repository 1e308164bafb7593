"""Rules on sites and keys that a test names, without a database."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from service.access.keys import PREFIX_LENGTH, Key, Kind, digest_of
from service.access.rules import Rules
from service.access.sites import Site, Sites
from service.settings import load
from sql.database import Database
from tests.support.log import NOW

DEFAULT = Site(0, "default", "UTC", (), (0,), retired=False)
BLOG = Site(1, "blog", "UTC", ("https://blog.example",), (1,), retired=False)


def a_key(
    text: str, kind: Kind, site: int | None = 0, *, expires_at: datetime | None = None, revoked: bool = False
) -> Key:
    """Return what the service knows of a key."""
    return Key(text[:PREFIX_LENGTH], digest_of(text), kind, site, expires_at, revoked)


def rules(
    keys: Iterable[Key],
    sites: Iterable[Site] = (DEFAULT, BLOG),
    used: list[str] | None = None,
    environment: Mapping[str, str] | None = None,
) -> Rules:
    """Return the rules of a service at the time NOW. used: gets the prefix of each key that is used."""
    known = Sites(Database(""))
    known.replace(list(sites), list(keys))
    noted = [] if used is None else used
    return Rules(known, load(environment or {}), lambda: NOW, noted.append)
