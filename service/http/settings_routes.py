"""The routes of settings: sites, keys, share links and sign-ins. All of them need an admin key, or its sign-in.

An admin key of one site sees and changes what is of that site. What is of all sites needs an admin key for all sites.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from litestar import Response, delete, get, post, put
from litestar.params import FromPath
from msgspec import Struct

from service.access.errors import WrongSite
from service.access.key_changes import create_key, revoke_key
from service.access.keys import Kind
from service.access.rules import Access
from service.access.share_link_changes import address_of, create_link, revoke_link
from service.access.share_links import View
from service.access.sign_in_changes import end_sign_in
from service.access.site_changes import add_site, rename_site
from service.access.sites import Sites, read_sites
from service.errors import InvalidParameter, NotFound, ServiceError
from service.http.answers import json_answer, response
from service.http.bodies import json_body
from service.http.gate import SETTINGS_PATH
from service.http.requests import NO_PARAMETERS, Asked, access_of, query_of
from service.http.settings_lists import SettingsLists, is_own
from service.questions.buckets import zone
from service.questions.parameters import parse
from service.questions.segments import Segments
from service.questions.shared import shown_filters, shown_range
from service.settings import Settings
from service.settings.values import origins as read_origins
from sql.database import Database


class NewSite(Struct, frozen=True, forbid_unknown_fields=True):
    """The body that adds a site, with one shard."""

    name: str
    time_zone: str = "UTC"
    origins: list[str] = []


class NewName(Struct, frozen=True, forbid_unknown_fields=True):
    """The body that renames a site."""

    name: str


class NewKey(Struct, frozen=True, forbid_unknown_fields=True):
    """The body that creates a key, for the site of the request or for all."""

    kind: Kind
    all_sites: bool = False
    label: str = ""
    expires_at: datetime | None = None


class NewLink(Struct, frozen=True, forbid_unknown_fields=True, rename={"since": "from", "until": "to"}):
    """The body that creates a share link. The range and the filters have the form of a question's."""

    expires_at: datetime
    label: str = ""
    hours: int | None = None
    since: str | None = None
    until: str | None = None
    filters: dict[str, str] = {}
    origins: list[str] = []

    @property
    def range(self) -> dict[str, str]:
        """Return the fields of the range as query parameters."""
        said = {"hours": self.hours, "from": self.since, "to": self.until}
        return {name: str(value) for name, value in said.items() if value is not None}


@dataclass(frozen=True)
class SettingsRoutes:
    """What the routes need. database: to read. writable: to change."""

    settings: Settings
    sites: Sites
    database: Database
    writable: Database
    clock: Callable[[], datetime]

    def routes(self) -> list[Any]:
        """Return the routes."""
        return [*self._of_all(), *self._of_sites(), *self._of_keys(), *self._of_links()]

    def _of_all(self) -> list[Any]:
        lists = SettingsLists(self.database, self.settings)

        @get(SETTINGS_PATH, name="settings")
        async def page(request: Asked) -> Response[bytes]:
            return response(json_answer(await lists.page(_asker(request))))

        @delete(SETTINGS_PATH + "/sign-ins/{prefix:str}", name="end sign-in", status_code=200)
        async def end(request: Asked, prefix: FromPath[str]) -> Response[bytes]:
            await self._check_own(_asker(request), self.database.statements.list_sign_ins, prefix, "sign-in")
            await end_sign_in(self.writable, prefix)
            return await self._changed({"prefix": prefix})

        return [page, end]

    def _of_sites(self) -> list[Any]:
        @post(SETTINGS_PATH + "/sites", name="add site", status_code=200)
        async def add(request: Asked) -> Response[bytes]:
            _check_everywhere(_asker(request), "adding a site")
            body = await json_body(request, NewSite)
            try:
                zone(body.time_zone)
                origins = [origin for each in body.origins for origin in read_origins(each)]
            except ServiceError as error:
                raise InvalidParameter(error.message.replace("tz", "time_zone", 1), "time_zone") from error
            except ValueError as error:
                raise InvalidParameter(f"origins {error}", "origins") from error
            site = await add_site(self.writable, body.name, time_zone=body.time_zone, origins=origins)
            return await self._changed({"name": site.name})

        @put(SETTINGS_PATH + "/sites/{name:str}", name="rename site")
        async def rename(request: Asked, name: FromPath[str]) -> Response[bytes]:
            _check_everywhere(_asker(request), "renaming a site")
            body = await json_body(request, NewName)
            (await read_sites(self.database)).named(name)  # a path may hold what no text of PostgreSQL does
            await rename_site(self.writable, name, body.name)
            return await self._changed({"name": body.name})

        return [add, rename]

    def _of_keys(self) -> list[Any]:
        @post(SETTINGS_PATH + "/keys", name="create key", status_code=200)
        async def create(request: Asked) -> Response[bytes]:
            access = _asker(request)
            body = await json_body(request, NewKey)
            if body.all_sites:
                _check_everywhere(access, "a key for all sites")
            key = await create_key(
                self.writable,
                body.kind,
                None if body.all_sites else access.site.number,
                label=body.label,
                expires_at=None if body.expires_at is None else self._future(body.expires_at),
            )
            return await self._changed({"key": key})

        @delete(SETTINGS_PATH + "/keys/{prefix:str}", name="revoke key", status_code=200)
        async def revoke(request: Asked, prefix: FromPath[str]) -> Response[bytes]:
            await self._check_own(_asker(request), self.database.statements.list_keys, prefix, "key")
            await revoke_key(self.writable, prefix)
            return await self._changed({"prefix": prefix})

        return [create, revoke]

    def _of_links(self) -> list[Any]:
        @post(SETTINGS_PATH + "/links", name="create link", status_code=200)
        async def create(request: Asked) -> Response[bytes]:
            access = _asker(request)
            body = await json_body(request, NewLink)
            segments = Segments(self.database, self.writable, access.site.number)
            view = View(*shown_range(body.range, self.clock()), await shown_filters(body.filters, segments))
            secret = await create_link(
                self.writable,
                access.site.number,
                view,
                label=body.label,
                origins=body.origins,
                expires_at=self._future(body.expires_at),
            )
            return await self._changed({"secret": secret, "address": address_of(secret)})

        @delete(SETTINGS_PATH + "/links/{prefix:str}", name="revoke link", status_code=200)
        async def revoke(request: Asked, prefix: FromPath[str]) -> Response[bytes]:
            await self._check_own(_asker(request), self.database.statements.list_share_links, prefix, "link")
            await revoke_link(self.writable, prefix)
            return await self._changed({"prefix": prefix})

        return [create, revoke]

    def _future(self, moment: datetime) -> datetime:
        """Return a time that is to come; without an offset it is UTC. Raises InvalidParameter."""
        try:
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError as error:
            raise InvalidParameter("expires_at must be before the year 10000", "expires_at") from error
        if moment <= self.clock():
            raise InvalidParameter(f"expires_at must be ahead of now, not {moment.isoformat()}", "expires_at")
        return moment

    async def _check_own(self, access: Access, query: str, prefix: str, what: str) -> None:
        """Raise NotFound unless a row of the query has the prefix, and is of a site of the asker's."""
        rows = await self.database.rows(query)
        if not any(row["prefix"] == prefix and is_own(access, row["site"]) for row in rows):
            raise NotFound(f"there is no {what} {prefix[:12]!r} of a site that you administer", "prefix")

    async def _changed(self, told: dict[str, object]) -> Response[bytes]:
        """Return the answer to a change that this worker knows by now, and the others within a second."""
        await self.sites.look_again()
        return response(json_answer({"ok": True, **told}))


def _asker(request: Asked) -> Access:
    parse(query_of(request), NO_PARAMETERS)
    return access_of(request)


def _check_everywhere(access: Access, what: str) -> None:
    if not access.everywhere:
        raise WrongSite(f"{what} needs an admin key for all sites, which `keys create --all-sites` makes")
