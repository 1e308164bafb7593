"""A service with keys of each kind, and with both secrets of the environment."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from service.access.key_changes import create_key, revoke_key
from service.access.keys import Kind
from service.access.site_changes import add_site
from service.http.cookies import NAME
from service.http.gate import SETTINGS_PATH, SIGN_IN_PATH
from sql.database import Database
from tests.conftest import Servers
from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.access_table import Line
from tests.http.support.described import answer_of
from tests.http.support.site import Site, an_event, new_site
from tests.support.waiting import wait_until

ORIGIN = "https://blog.example"
CONNECTIONS = 16


@dataclass(frozen=True)
class Guarded:
    """A service with two workers, keys of each kind, and both secrets of the environment."""

    site: Site
    keys: dict[str, str]

    def ask(self, line: Line, key: str, **headers: str) -> httpx.Response:
        if key:
            headers["authorization"] = f"Bearer {key}"
        query = "&site=default" if "?" in line.address else "?site=default"
        return answer_of(self.site, line.method, line.address + query, json=line.body, headers=headers)

    def sign_in(self, key: str, **headers: str) -> httpx.Response:
        return self.site.client.post(SIGN_IN_PATH, json={"key": key}, headers=headers)

    def cookie(self, key: str) -> dict[str, str]:
        """Sign in; return the headers of a page of the service from then on."""
        cookie = cookie_of(self.sign_in(key))
        return {"cookie": f"{NAME}={cookie}", "origin": self.site.running.url}

    def change(self, method: str, path: str, key: str, **asked: Any) -> httpx.Response:
        """Look at settings, or change them, as a program with a key does."""
        headers = {"authorization": f"Bearer {key}"}
        return self.site.client.request(method, f"{SETTINGS_PATH}{path}", headers=headers, **asked)

    def send(self, key: str, *events: object, path: str = "/e", **headers: str) -> httpx.Response:
        content = json.dumps(events if "batch" in path else events[0])
        return self.site.client.post(path, content=content, headers={"x-write-key": key} | headers)


def cookie_of(answer: httpx.Response) -> str:
    """Return the cookie that an answer sets."""
    assert answer.status_code == 200, answer.text
    name, _, value = answer.headers["set-cookie"].partition(";")[0].partition("=")
    assert name == NAME
    return str(value)


@asynccontextmanager
async def new_guarded(servers: Servers, folder: Path) -> AsyncIterator[Guarded]:
    """Run the service; at the end, fail when its log holds a key."""
    async with new_site(
        servers,
        folder,
        HOURLEDGER_WRITE_KEY=WRITE_KEY,
        HOURLEDGER_READ_TOKEN=READ_TOKEN,
        HOURLEDGER_WORKERS="2",
        HOURLEDGER_LOG="debug",
    ) as site:
        database = Database(site.database_url, connections=1)
        blog = (await add_site(database, "blog", origins=[ORIGIN])).number
        keys = {kind.value: await create_key(database, kind, 0, label="of the default site") for kind in Kind}
        keys["admin of all"] = await create_key(database, Kind.ADMIN, None)
        keys["read of another site"] = await create_key(database, Kind.READ, blog)
        keys["write of another site"] = await create_key(database, Kind.WRITE, blog)
        ended = datetime.now(UTC) - timedelta(seconds=1)
        keys["expired"] = await create_key(database, Kind.ADMIN, 0, expires_at=ended)
        keys["revoked"] = await create_key(database, Kind.ADMIN, 0)
        await revoke_key(database, keys["revoked"][:12])
        await database.close()
        keys |= {"nothing": "", "nonsense": "hla_aaaaaaaa_nonsense"}
        keys |= {"environment write key": WRITE_KEY, "environment read token": READ_TOKEN}
        found = Guarded(site, keys)
        for name in ("admin of all", "write of another site"):
            until(found, keys[name], 200)
        yield found
        site.check_log()
        told = site.log()
        assert [name for name, key in keys.items() if key and key in told] == []


def until(found: Guarded, key: str, status: int) -> None:
    """Wait until all workers answer so to an event with a key: as many connections meet all of them."""
    wait_until(
        lambda: {found.send(key, an_event()).status_code for _ in range(CONNECTIONS)},
        f"all workers answer {status}",
        holds=lambda seen: seen == {status},
    )
