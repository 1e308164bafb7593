"""The sites, keys, sign-ins and links that a process knows (R12). It reads them again soon after one was changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

import structlog

from service.access.keys import Key, Keys, key_of
from service.access.share_links import ShareLink, ShareLinks, link_of
from service.access.sign_ins import SignIn, SignIns, sign_in_of
from service.errors import NotReady, SiteRetired, UnknownSite
from sql.database import Database, Row
from sql.errors import DatabaseError

DEFAULT_SITE = 0
# A change counts after this time at most. No LISTEN, because it does not work through a pooler in transaction mode.
POLL_SECONDS = 0.5
# Until they are known, every request that may need them is refused.
FIRST_SECONDS = 0.1
# Looks that requests ask for are as far apart, so that made-up cookies cost little. A request waits for one so long.
LEAST_SECONDS = 0.02
MOST_SECONDS = 1.0
# An error quotes at most this many characters of a name.
SHOWN = 40
HOW_TO_LIST = "`python -m service sites list` lists the sites"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """A site. number: it never changes, and people may change the rest. shards: those of the log that are the site's.

    time_zone: an IANA name. origins: of its own pages. retired: whether it takes no events any more.
    """

    number: int
    name: str
    time_zone: str
    origins: tuple[str, ...]
    shards: tuple[int, ...]
    retired: bool

    @property
    def is_default(self) -> bool:
        """Whether requests that name no site mean this one."""
        return self.number == DEFAULT_SITE

    def check_takes_events(self) -> None:
        """Raise SiteRetired when it takes no events."""
        if self.retired:
            raise SiteRetired(f"the site {self.name!r} is retired: it takes no events", "site")


class Sites:
    """The sites by name, as they were when `look` last found a change.

    keys, sign_ins, links, origins: those of all sites, as they were then.
    """

    def __init__(self, database: Database) -> None:
        self.keys = Keys()
        self.sign_ins = SignIns()
        self.links = ShareLinks()
        self._database = database
        self._version: int | None = None
        self._by_name: Mapping[str, Site] = {}
        self._by_number: Mapping[int, Site] = {}
        self._default: Site | None = None
        self.origins: frozenset[str] = frozenset()
        self._found = asyncio.Event()
        self._wanted = asyncio.Event()
        # Set after the next look to begin.
        self._coming = asyncio.Event()

    def __iter__(self) -> Iterator[Site]:
        """Give the known sites by number."""
        return iter(self._by_name.values())

    @property
    def known(self) -> bool:
        """Whether `look` has ever found sites and keys."""
        return self._found.is_set()

    @property
    def version(self) -> int | None:
        """The version of all that was known at the last look; also rules of alerts raise it. None before the first."""
        return self._version

    @property
    def default(self) -> Site:
        """The site of requests that name none. Raises NotReady before the sites could be read."""
        if self._default is None:
            raise NotReady("the sites are not known yet: the database is away, or not set up; try again")
        return self._default

    def find(self, name: str | None) -> Site | None:
        """Return the site of a name, the default one for None; None for an unknown name. Raises NotReady."""
        default = self.default
        return default if name is None else self._by_name.get(name)

    def numbered(self, number: int) -> Site:
        """Return the site of a number. Raises NotReady as `default` does."""
        if number not in self._by_number:
            raise NotReady("the site is not known yet; try again")
        return self._by_number[number]

    def named(self, name: str | None) -> Site:
        """Return the site of a name, the default one for None. Raises UnknownSite, and NotReady as `default` does."""
        site = self.find(name)
        if site is None:
            raise UnknownSite(f"site must be the name of a site, not {(name or '')[:SHOWN]!r}; {HOW_TO_LIST}", "site")
        return site

    async def look(self) -> bool:
        """Read everything again if anything was changed; return whether it was. Raises sql.errors.DatabaseError."""
        statements = self._database.statements
        # First the version: a change between the reads is found again. Links and keys before sites, sign-ins before
        # keys: then their sites and keys are known.
        version = (await self._database.only(statements.read_access_version))["version"]
        if version == self._version:
            return False
        links = [link_of(row) for row in await self._database.rows(statements.list_share_links)]
        sign_ins = [sign_in_of(row) for row in await self._database.rows(statements.list_sign_ins)]
        keys = [key_of(row) for row in await self._database.rows(statements.list_keys)]
        sites = [_site(row) for row in await self._database.rows(statements.list_sites)]
        self.replace(sites, keys, sign_ins, links)
        self._version = version
        self._found.set()
        return True

    def replace(
        self,
        sites: Sequence[Site],
        keys: Sequence[Key],
        sign_ins: Sequence[SignIn] = (),
        links: Sequence[ShareLink] = (),
    ) -> None:
        """Know these from now on, and no others."""
        self.keys.replace(keys)
        self.sign_ins.replace(sign_ins)
        self.links.replace(links)
        self._by_name = {site.name: site for site in sites}
        self._by_number = {site.number: site for site in sites}
        self.origins = frozenset(origin for site in sites for origin in site.origins)
        self._default = next(site for site in sites if site.is_default)

    async def wait_until_known(self, seconds: float) -> None:
        """Return when `look` has found the sites, or after `seconds`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._found.wait(), seconds)

    async def look_again(self) -> None:
        """Return after a look of `follow` that has not begun yet, or after MOST_SECONDS."""
        coming = self._coming
        self._wanted.set()
        with suppress(TimeoutError):
            await asyncio.wait_for(coming.wait(), MOST_SECONDS)

    async def follow(self) -> None:
        """Look again and again, until cancelled. While a look fails, what was known stays; its cause is logged once."""
        told: type[Exception] | None = None
        while True:
            beginning, self._coming = self._coming, asyncio.Event()
            self._wanted.clear()
            try:
                await self.look()
                told = None
            except DatabaseError as error:
                if told is not DatabaseError:
                    log.warning("the sites and keys cannot be read", error=str(error))
                told = DatabaseError
            except Exception as error:
                if told is not type(error):
                    log.exception("the service failed to read the sites and keys")
                told = type(error)
            beginning.set()
            await asyncio.sleep(LEAST_SECONDS)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), POLL_SECONDS if self.known else FIRST_SECONDS)


async def read_sites(database: Database) -> Sites:
    """Return the sites as they are now. Raises sql.errors.DatabaseError."""
    sites = Sites(database)
    await sites.look()
    return sites


def _site(row: Row) -> Site:
    retired_at: datetime | None = row["retired_at"]
    return Site(
        row["site"],
        row["name"],
        row["time_zone"],
        tuple(row["origins"]),
        tuple(row["shards"]),
        retired_at is not None,
    )
