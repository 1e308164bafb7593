"""The share links that a process knows: each shows one view of a site to whoever has it.

A link's secret has the form of keys and begins with `hll_`. The service keeps its prefix and its SHA-256.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from service.access.keys import PREFIX_LENGTH, digest_of
from sql.database import Row

LETTER = "l"


@dataclass(frozen=True, slots=True)
class View:
    """What a link shows: the last hours, or a range [since, until); and of it what passes the filters.

    filters: names and texts as in questions, without segments.
    """

    hours: int | None
    since: datetime | None
    until: datetime | None
    filters: Mapping[str, str]

    @property
    def range(self) -> dict[str, str]:
        """Return the range as parameters of a question."""
        if self.since is not None and self.until is not None:
            return {"from": self.since.isoformat(), "to": self.until.isoformat()}
        return {"hours": str(self.hours)}


@dataclass(frozen=True, slots=True)
class ShareLink:
    """A link as the database has it. site: the number of its site. origins: whose pages may embed it."""

    prefix: str
    digest: bytes
    site: int
    label: str
    view: View
    origins: tuple[str, ...]
    expires_at: datetime

    def is_expired(self, now: datetime) -> bool:
        """Return whether its time is over."""
        return self.expires_at <= now


class ShareLinks:
    """The known links by prefix, expired ones included."""

    def __init__(self) -> None:
        self._by_prefix: Mapping[str, ShareLink] = {}

    def replace(self, links: Iterable[ShareLink]) -> None:
        """Know these links from now on, and no others."""
        self._by_prefix = {link.prefix: link for link in links}

    def knows(self, text: str) -> bool:
        """Return whether there is a link of the text's prefix."""
        return text[:PREFIX_LENGTH] in self._by_prefix

    def found(self, text: str) -> ShareLink | None:
        """Return the link whose secret a text is, expired or not. It takes as long for every secret."""
        link = self._by_prefix.get(text[:PREFIX_LENGTH])
        if link is None or not hmac.compare_digest(digest_of(text), link.digest):
            return None
        return link

    def origins_of(self, prefix: str, now: datetime) -> tuple[str, ...]:
        """Return whose pages may embed the view of a link: of no one when it is unknown or has expired."""
        link = self._by_prefix.get(prefix)
        return () if link is None or link.is_expired(now) else link.origins


def is_like_a_link(text: str) -> bool:
    """Tell whether a text begins as the secrets of links do."""
    return text.startswith(f"hl{LETTER}_")


def link_of(row: Row) -> ShareLink:
    """Return the link of a row of list_share_links."""
    filters = msgspec.json.decode(row["filters"], type=dict[str, str])
    return ShareLink(
        row["prefix"],
        row["digest"],
        row["site"],
        row["label"],
        View(row["hours"], row["since"], row["until"], filters),
        tuple(row["origins"]),
        row["expires_at"],
    )
