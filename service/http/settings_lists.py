"""What the settings show: sites, keys, share links, sign-ins, and the retention in force. No secret is among it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from service.access.rules import Access
from service.questions.hours import time_text
from service.settings import Settings
from sql.database import Database, Row


class SettingsLists:
    """Answers `GET /api/analytics/settings`."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    async def page(self, access: Access) -> dict[str, Any]:
        """Return everything that is of the asker's sites. Raises sql.errors.DatabaseError."""
        statements = self._database.statements
        sites = await self._database.rows(statements.list_sites)
        names = {row["site"]: row["name"] for row in sites}

        async def own(query: str) -> list[Row]:
            return [row for row in await self._database.rows(query) if is_own(access, row["site"])]

        return {
            "ok": True,
            "site": access.site.name,
            "everywhere": access.everywhere,
            "sites": [_site(row) for row in sites if is_own(access, row["site"])],
            "keys": [_key(row) for row in await own(statements.list_keys)],
            "links": [_link(row) for row in await own(statements.list_share_links)],
            "sign_ins": [_sign_in(row, names, access) for row in await own(statements.list_sign_ins)],
            "retention": await self._retention(),
        }

    async def _retention(self) -> dict[str, int | None]:
        row = await self._database.only(self._database.statements.read_retention)
        in_force = {name: row[name] for name in ("event_days", "log_days", "rollup_days")}
        return {**in_force, "grace_days": self._settings.grace_days}


def is_own(access: Access, site: int | None) -> bool:
    """Return whether something of a site, None for all, is an administrator's to see and to change."""
    return access.everywhere or site == access.site.number


def _site(row: Row) -> dict[str, Any]:
    return {
        "name": row["name"],
        "time_zone": row["time_zone"],
        "origins": row["origins"],
        "created_at": time_text(row["created_at"]),
        "retired_at": _time(row["retired_at"]),
    }


def _key(row: Row) -> dict[str, Any]:
    return {
        "prefix": row["prefix"],
        "kind": row["kind"],
        "site": row["site_name"],
        "label": row["label"],
        "created_at": time_text(row["created_at"]),
        "expires_at": _time(row["expires_at"]),
        "revoked_at": _time(row["revoked_at"]),
        "last_used_at": _time(row["last_used_at"]),
    }


def _link(row: Row) -> dict[str, Any]:
    return {
        "prefix": row["prefix"],
        "site": row["site_name"],
        "label": row["label"],
        "hours": row["hours"],
        "from": _time(row["since"]),
        "to": _time(row["until"]),
        "filters": msgspec.json.decode(row["filters"]),
        "origins": row["origins"],
        "created_at": time_text(row["created_at"]),
        "expires_at": time_text(row["expires_at"]),
    }


def _sign_in(row: Row, names: dict[int, str], access: Access) -> dict[str, Any]:
    """Return a sign-in in the form of answers. key: null for the read token; current: whether it is the asker's own."""
    return {
        "prefix": row["prefix"],
        "key": row["key"],
        "kind": row["kind"],
        "site": names.get(row["site"]),
        "label": row["label"],
        "created_at": time_text(row["created_at"]),
        "expires_at": time_text(row["expires_at"]),
        "current": row["prefix"] == access.sign_in,
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else time_text(moment)
