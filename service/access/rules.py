"""Decides what a request may do, and which site it is about, by its key and by the site that it names."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from service.access.errors import Unauthorized, WrongKind, WrongSite
from service.access.keys import PREFIX_LENGTH, RIGHTS, Key, Kind, Right, is_like_a_key
from service.access.share_links import ShareLink, is_like_a_link
from service.access.sites import SHOWN, Site, Sites
from service.settings import READ_TOKEN, USER_HEADER, WRITE_KEY, Settings

MISSING = {
    Right.EVENTS: "the write key is missing or wrong: set data-write-key or writeKey, or send x-write-key",
    Right.READS: "the read token is missing or wrong: send it, or a read or admin key, as Authorization: Bearer",
    Right.CHANGES: "the read token is missing or wrong: send it, or an admin key, as Authorization: Bearer",
    Right.SETTINGS: "settings need an admin key: sign in with one, or send it as Authorization: Bearer",
}
NEEDED = {
    Right.EVENTS: "sending events needs a write, server or admin key",
    Right.READS: "reading needs a read or admin key",
    Right.CHANGES: "saving and deleting need an admin key",
    Right.SETTINGS: "settings need an admin key",
}
FORWARDED = f"reads through a proxy need {READ_TOKEN}, or HOURLEDGER_OPEN_READS=1 to let everyone read"
HOW_TO_CREATE = "`python -m service keys create`"
NO_LINK = "this link is not known any more: ask whoever gave it to you for another one"


@dataclass(frozen=True, slots=True)
class Access:
    """What the service found out about a request before it answers.

    site: the site that it is about. key: the prefix of its key, or the variable of the environment's; None when the
    site is open. kind: of its key; those of the environment count as a server and a read key. everywhere: whether
    it may ask about all sites. sign_in: the prefix of the cookie that stands for the key. link: the link that came with
    it; then key is the link's prefix, and the request may ask for its view alone.
    """

    site: Site
    kind: Kind | None = None
    key: str | None = None
    everywhere: bool = False
    sign_in: str | None = None
    link: ShareLink | None = None

    @property
    def is_public(self) -> bool:
        """Whether any visitor may have its key, because pages carry it, or it needs none."""
        return self.kind in (None, Kind.WRITE) or self.key == WRITE_KEY

    def is_page(self, *, has_origin: bool) -> bool:
        """Return whether events come from a page: its browser says so, or the key is one for pages."""
        return self.is_public and (has_origin or self.kind is Kind.WRITE)


class Rules:
    """The rules of one service. clock: for the expiry of keys. note_use: takes the prefix of each used key.

    HOURLEDGER_WRITE_KEY and HOURLEDGER_READ_TOKEN are the default site's. While one is set, no site is open for what it
    guards. Behind an identity proxy no site is open for reads. The token also saves and deletes segments and views, as
    it did before there were other keys.
    """

    def __init__(
        self,
        sites: Sites,
        settings: Settings,
        clock: Callable[[], datetime],
        note_use: Callable[[str], None],
    ) -> None:
        self._sites = sites
        self._keys = sites.keys
        self._clock = clock
        self._note_use = note_use
        self._open_reads = settings.open_reads
        self._has_users = settings.trusted_user_header is not None
        token = settings.read_token
        self._secrets: Mapping[Right, str | None] = {
            Right.EVENTS: settings.write_key,
            Right.READS: token,
            Right.CHANGES: token,
            Right.SETTINGS: token,
        }

    def access(
        self,
        right: Right,
        given: Iterable[str],
        site: str | None,
        *,
        is_forwarded: Callable[[], bool],
        cookie: str = "",
        is_user: bool = False,
    ) -> Access:
        """Return the access of a request; the first text of `given` that is a fitting key counts, then the cookie.

        site: the name of the site that the request names, None without one. is_forwarded: whether a proxy passes it on.
        cookie: of a sign-in. One that has ended counts as none. is_user: whether an identity proxy knows who asks.
        Raises Unauthorized, WrongKind, WrongSite, SiteRetired for events, UnknownSite, and NotReady before sites and
        keys could be read.
        """
        refusal: Exception | None = None
        for text in filter(None, given):
            try:
                if (access := self._with_key(right, text, site)) is not None:
                    break
            except (Unauthorized, WrongKind, WrongSite) as error:
                refusal = refusal or error
        else:
            if refusal is not None:
                raise refusal
            access = self._signed_in(right, cookie, site)
            if access is None:
                access = self._user(right, site) if is_user else self._without_key(right, site, is_forwarded)
        if right is Right.EVENTS:
            access.site.check_takes_events()
        return access

    def read_access(self, text: str) -> Access:
        """Return the access to reads of a text that must be a key or the read token.

        Raises Unauthorized, WrongKind, and NotReady as `access` does.
        """
        access = self._with_key(Right.READS, text, None)
        if access is None or access.link is not None:
            raise Unauthorized("this is no read or admin key that is known, nor the read token", "no_key")
        return access

    def needs_key(self, right: Right, site: Site) -> bool:
        """Return whether a site needs a key for something."""
        return self._needs_any(right) or self._keys.close(right, site.number)

    def _needs_any(self, right: Right) -> bool:
        """Return whether every site needs a key for something."""
        return self._secrets[right] is not None or (self._has_users and right is not Right.EVENTS)

    def _with_key(self, right: Right, text: str, name: str | None) -> Access | None:
        """Return what a text gives access to, None when it is no key."""
        secret = self._secrets[right]
        if secret is not None and hmac.compare_digest(text.encode(), secret.encode()):
            return self._of_environment(right, name)
        if is_like_a_link(text):
            return self._with_link(right, text, name)
        key = self._keys.found(text)
        if key is None and is_like_a_key(text):
            # It is of some site, so that it must not count as a request to the default one.
            raise Unauthorized(
                f"the key {text[:PREFIX_LENGTH]} is not known; `python -m service keys list` lists them", "no_key"
            )
        return None if key is None else self._of_key(key, right, name)

    def is_signed_in(self, cookie: str) -> bool:
        """Return whether a sign-in has this cookie, also when its key has ended."""
        return self._sites.sign_ins.found(cookie, self._secrets[Right.READS], self._clock()) is not None

    def _signed_in(self, right: Right, cookie: str, name: str | None) -> Access | None:
        """Return what a cookie gives access to, None without a sign-in, or when it or its key has ended."""
        sign_in = self._sites.sign_ins.found(cookie, self._secrets[Right.READS], self._clock())
        if sign_in is None:
            return None
        if sign_in.key is None:
            access = self._of_environment(right, name)
        else:
            key = self._keys.named(sign_in.key)
            if key is None or key.revoked or key.is_expired(self._clock()):
                return None
            access = self._of_key(key, right, name)
        return replace(access, sign_in=sign_in.prefix)

    def _with_link(self, right: Right, text: str, name: str | None) -> Access:
        link = self._sites.links.found(text)
        if link is None:
            raise Unauthorized(NO_LINK, "no_key")
        if link.is_expired(self._clock()):
            raise Unauthorized(f"this link has expired: {NO_LINK.partition(': ')[2]}", "expired_key")
        if right is not Right.READS:
            raise WrongKind(f"a link shows its view, but {NEEDED[right]}")
        site = self._sites.numbered(link.site)
        _check_site("the link shows only", site, name)
        return Access(site, key=link.prefix, link=link)

    def _of_key(self, key: Key, right: Right, name: str | None) -> Access:
        self._check(key, right)
        site = self._site_of(key, name)
        self._note_use(key.prefix)
        return Access(site, key.kind, key.prefix, everywhere=key.site is None)

    def _of_environment(self, right: Right, name: str | None) -> Access:
        site = self._sites.default
        if right is Right.SETTINGS:
            raise WrongKind(f"{READ_TOKEN} reads, but {NEEDED[right]}; {HOW_TO_CREATE} makes one")
        if right is Right.EVENTS:
            _check_site(f"{WRITE_KEY} writes to only", site, name)
            return Access(site, Kind.SERVER, WRITE_KEY)
        _check_site(f"{READ_TOKEN} reads only", site, name)
        return Access(site, Kind.READ, READ_TOKEN, everywhere=True)

    def _check(self, key: Key, right: Right) -> None:
        if key.revoked:
            raise Unauthorized(f"the key {key.prefix} was revoked; {HOW_TO_CREATE} makes another one", "revoked_key")
        if key.is_expired(self._clock()):
            raise Unauthorized(f"the key {key.prefix} has expired; {HOW_TO_CREATE} makes another one", "expired_key")
        if right not in RIGHTS[key.kind]:
            raise WrongKind(
                f"the key {key.prefix} is of the kind {key.kind}, but {NEEDED[right]}; {HOW_TO_CREATE} makes one"
            )

    def _site_of(self, key: Key, name: str | None) -> Site:
        if key.site is None:
            return self._sites.named(name)
        site = self._sites.numbered(key.site)
        _check_site(f"the key {key.prefix} is of only", site, name)
        return site

    def _user(self, right: Right, name: str | None) -> Access:
        """Return the access of somebody whom an identity proxy knows: it reads all sites."""
        if right is not Right.READS:
            raise WrongKind(
                f"who comes through the identity proxy reads, but {NEEDED[right]}; {HOW_TO_CREATE} makes one"
            )
        return Access(self._sites.named(name), Kind.READ, USER_HEADER, everywhere=True)

    def _without_key(self, right: Right, name: str | None, is_forwarded: Callable[[], bool]) -> Access:
        if right is Right.SETTINGS:
            raise Unauthorized(MISSING[right], "no_key")
        site = self._sites.find(name)
        if self.needs_key(right, site) if site else self._needs_any(right) or self._keys.close_any(right):
            raise Unauthorized(MISSING[right], "no_key")
        if right is not Right.EVENTS and not self._open_reads and is_forwarded():
            raise Unauthorized(FORWARDED, "forwarded")
        return Access(self._sites.named(name), everywhere=not self._keys.close_any(Right.READS))


def _check_site(what: str, site: Site, name: str | None) -> None:
    # Before any look at the other sites, so that the answer does not tell which there are.
    if name not in (None, site.name):
        raise WrongSite(f"{what} the site {site.name!r}, not {(name or '')[:SHOWN]!r}", "site")
