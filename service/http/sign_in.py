"""The routes of sign-ins: a key or the read token for a cookie, out again, and what the asker may do."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Response, get, post
from msgspec import Meta, Struct

from service.access.errors import Unauthorized, WrongKind
from service.access.keys import PREFIX_LENGTH, Kind
from service.access.limits import Attempts
from service.access.rules import Access, Rules
from service.access.sign_in_changes import begin_sign_in, end_sign_in
from service.access.sites import Sites
from service.errors import NotFound
from service.http.answers import Headers, json_answer, response
from service.http.bodies import json_body
from service.http.cookies import set_cookie, sign_in_cookie
from service.http.gate import SIGN_IN_PATH, SIGN_OUT_PATH, Gate
from service.http.requests import NO_PARAMETERS, Asked, access_of, query_of
from service.questions.parameters import parse
from service.settings import READ_TOKEN, Settings
from sql.database import Database


class SigningIn(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a sign-in. key: a read or admin key, or the read token."""

    key: Annotated[str, Meta(min_length=1, max_length=1024)]


@dataclass(frozen=True)
class SignInRoutes:
    """What the routes need. writable: for the sign-ins."""

    settings: Settings
    gate: Gate
    rules: Rules
    sites: Sites
    attempts: Attempts
    writable: Database

    def routes(self) -> list[Any]:
        """Return the routes."""

        @post(SIGN_IN_PATH, name="sign in", status_code=200)
        async def sign_in(request: Asked) -> Response[bytes]:
            return await self._sign_in(request)

        @post(SIGN_OUT_PATH, name="sign out", status_code=200)
        async def sign_out(request: Asked) -> Response[bytes]:
            return await self._sign_out(request)

        @get("/api/analytics/access", name="access")
        async def access(request: Asked) -> Response[bytes]:
            parse(query_of(request), NO_PARAMETERS)
            return response(json_answer({"ok": True, **self._told(access_of(request))}))

        return [sign_in, sign_out, access]

    async def _sign_in(self, request: Asked) -> Response[bytes]:
        address = self.gate.address(request.scope, _headers(request))
        self.attempts.check(address)
        body = await json_body(request, SigningIn)
        self.attempts.check(address)  # others may have come while the body did
        access = await self._access_of(body.key.strip(), address)
        if access.key == READ_TOKEN:
            cookie = await begin_sign_in(self.writable, token=self.settings.read_token or "")
        else:
            cookie = await begin_sign_in(self.writable, key=access.key)
        return self._answer(request, {"ok": True, **self._told(access, signed_in=True)}, cookie)

    async def _access_of(self, key: str, address: str) -> Access:
        """Return the access of a key; look once more for one that may just have been created."""
        with suppress(Unauthorized, WrongKind):
            return self.rules.read_access(key)
        self.attempts.wrong(address)  # before the look, so that many requests at once are counted
        await self.sites.look_again()
        return self.rules.read_access(key)

    async def _sign_out(self, request: Asked) -> Response[bytes]:
        cookie = sign_in_cookie(_headers(request))
        if self.rules.is_signed_in(cookie):
            with suppress(NotFound):  # it was revoked meanwhile
                await end_sign_in(self.writable, cookie[:PREFIX_LENGTH])
            await self.sites.look_again()
        return self._answer(request, {"ok": True}, "")

    def _answer(self, request: Asked, told: dict[str, object], cookie: str) -> Response[bytes]:
        secure = self.gate.is_https(request.scope, _headers(request))
        return response(json_answer(told).and_headers(set_cookie(cookie, self.settings.base_path, secure=secure)))

    def _told(self, access: Access, *, signed_in: bool = False) -> dict[str, object]:
        """Return what an asker may do, for the page."""
        names = [site.name for site in self.sites] if access.everywhere and access.key != READ_TOKEN else []
        return {
            "site": access.site.name,
            "sites": names or [access.site.name],
            "kind": access.kind,
            "key": access.key,
            "everywhere": access.everywhere,
            "signed_in": signed_in or access.sign_in is not None,
            "may_change_settings": access.kind is Kind.ADMIN,
        }


def _headers(request: Asked) -> Headers:
    return dict(request.scope["headers"])
