"""Whom a rule tells: an address of e-mail, a webhook, or what the library apprise reaches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from service.errors import InvalidParameter

LONGEST = 2_000
MOST_TARGETS = 8


class Way(StrEnum):
    """How a target is reached."""

    MAIL = "mail"
    WEBHOOK = "webhook"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to tell. address: of e-mail, the URL of a webhook, or a URL of apprise. The last two may hold secrets."""

    way: Way
    address: str

    @property
    def shown(self) -> str:
        """What logs and lists show: no path, no query and no password."""
        if self.way is Way.MAIL:
            return f"mailto:{self.address}"
        parts = urlsplit(self.address)
        if self.way is Way.APPRISE:
            return f"apprise:{parts.scheme}://…"  # its host may be a part of a token
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…"


def target_of(text: str) -> Target:
    """Return the target of a text. Raises InvalidParameter, without the text, because that may hold a secret."""
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or len(text) > LONGEST or not text.isprintable() or re.search(r"\s", text):
        raise _refused("must be mailto:, https: or apprise: and an address without spaces")
    if scheme == "mailto":
        return Target(Way.MAIL, _mail_address(rest))
    if scheme == "apprise":
        if not re.match(r"[a-z][a-z0-9+.-]*://.", rest, re.IGNORECASE):
            raise _refused("must have a URL of apprise after apprise:, such as apprise:slack://…")
        return Target(Way.APPRISE, rest)
    if scheme not in ("http", "https"):
        raise _refused(f"must begin with mailto:, https:, http: or apprise:, not {scheme[:20]}:")
    _check_webhook(text)
    return Target(Way.WEBHOOK, text)


def _mail_address(text: str) -> str:
    address = unquote(text)
    try:
        parsed = Address(addr_spec=address)
    except (ValueError, IndexError, MessageError) as error:
        raise _refused(f"must have an address of e-mail after mailto:, which {address[:80]!r} is not") from error
    if not (parsed.username and parsed.domain and address.isascii() and address.isprintable()):
        raise _refused(f"must have an address of e-mail after mailto:, which {address[:80]!r} is not")
    return address


def _check_webhook(text: str) -> None:
    try:
        parts = urlsplit(text)
        named, _ = parts.hostname, parts.port  # a port that is none raises ValueError
    except ValueError as error:
        raise _refused("must be a URL with a port from 0 to 65535, or none") from error
    if not named or parts.fragment:
        raise _refused("must be a URL with a host and without a fragment")


def _refused(message: str) -> InvalidParameter:
    return InvalidParameter(f"a target {message}", "target")
