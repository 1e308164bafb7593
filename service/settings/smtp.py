"""The mail server of alerts, as HOURLEDGER_SMTP_URL has it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qs, unquote, urlsplit

# Port 587 begins in the clear and offers STARTTLS (RFC 6409), port 465 begins with TLS (RFC 8314).
_PORTS = {"smtp": 587, "smtps": 465}
_FORM = "smtp://user:password@host:587/?from=address"


@dataclass(frozen=True, slots=True)
class Smtp:
    """A mail server. sender: the address that mails come from. tls: the connection begins with TLS."""

    host: str
    port: int
    sender: str
    tls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    def __str__(self) -> str:
        """Return what may be shown."""
        return f"the mail server {self.host}:{self.port}"


def smtp(text: str) -> Smtp | None:
    """Return the mail server of a URL, None for no text. The messages leave the value out: it may hold a password."""
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(f"must be a URL such as {_FORM}, with a port from 1 to 65535") from None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path not in ("", "/") or parts.fragment or port == 0:
        raise ValueError(f"must be a URL such as {_FORM}")
    given = parse_qs(parts.query, keep_blank_values=True)
    if given.keys() - {"from"}:
        raise ValueError("must have no parameter but from")
    user = unquote(parts.username) if parts.username else None
    sender = given["from"][0] if "from" in given else user or ""
    if not _is_address(sender):
        raise ValueError("must say in ?from=… from which address mails come, such as ?from=stats@example.com")
    password = unquote(parts.password) if parts.password else None
    return Smtp(parts.hostname, port or _PORTS[parts.scheme], sender, parts.scheme == "smtps", user, password)


def _is_address(text: str) -> bool:
    name, at, domain = text.rpartition("@")
    return bool(name and at and domain) and text.isascii() and text.isprintable() and not set(text) & set(' <>,;"')
