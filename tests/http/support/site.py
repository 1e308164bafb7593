"""A running service with its own database, and events to send to it."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import httpx
import psutil

from tests.conftest import NEWEST, RETENTION_DAYS, RunningService, Servers, running_service, words_of
from tests.support import plain_http
from tests.support.environment import without_settings
from tests.support.waiting import wait_until

HOUR = timedelta(hours=1)
ONCE = httpx.Limits(max_keepalive_connections=0)
Json = dict[str, Any]
# Sources of an answer from raw events; which of them is a matter of how far the archive has come.
RAW = frozenset({"events", "archive", "both"})


@dataclass(frozen=True)
class Site:
    """A service, an HTTP client of it, and the URL of its database."""

    running: RunningService
    database_url: str
    client: httpx.Client

    def rows(self, query: str, *args: object) -> list[asyncpg.Record]:
        """Run a statement directly on the database; return its rows."""

        async def fetched() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database_url)
            try:
                return await connection.fetch(query, *args)
            finally:
                await connection.close()

        return asyncio.run(fetched())

    @property
    def data_dir(self) -> Path:
        """The data directory of the service."""
        return self.running.data

    def log(self) -> str:
        """Return the service's log."""
        return self.running.log.read_text()

    def check_log(self) -> None:
        """Fail when the service logged a fault of its own."""
        assert not re.search("Traceback|Warning|a request failed", self.log())

    def run(self, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of the service beside it; assert how it ends."""
        ended = subprocess.run(
            [sys.executable, "-m", "service", *words],
            env=without_settings() | {"DATABASE_URL": self.database_url, "HOURLEDGER_DATA_DIR": str(self.data_dir)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended

    def part(self, command: str) -> psutil.Process:
        """Return the process of one part of the service: `http` or `follow`, the projector."""
        (found,) = wait_until(lambda: self._parts(command), f"{command} runs")
        return found

    def _parts(self, command: str) -> list[psutil.Process]:
        parts = psutil.Process(self.running.process.pid).children()
        return [part for part in parts if command in words_of(part)]

    def readiness(self) -> Json:
        """Return whether the service is ready, and what is wrong."""
        return dict(self.client.get("/health/ready").json())

    def wait_until_folded(self) -> None:
        """Wait until the rollups hold all events of the log."""
        wait_until(self.readiness, "all is folded", holds=lambda told: told.get("lag_events") == 0)

    def send(self, *events: Json) -> Json:
        """Send a batch; assert that the answer is 200 and return it."""
        answer = self.client.post("/e/batch", json=events)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def get(self, path: str, **query: object) -> Json:
        """Read a path; assert that the answer is 200 and return it."""
        answer = self.client.get(path, params={name: str(value) for name, value in query.items()})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def listed(self, **query: object) -> list[Json]:
        """Return the events of a list."""
        return list(self.get("/api/analytics/track", **query)["events"])

    def raw(self, request: bytes, *, cut_short: bool = False) -> tuple[int, Json]:
        """Send raw bytes; return status and body. The bytes must include `Connection: close`."""
        port = urlsplit(self.running.url).port
        with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
            connection.sendall(request)
            if cut_short:
                connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as stream:
                head, _, body = stream.read().partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body or b"{}")


@asynccontextmanager
async def new_database(servers: Servers, *, empty: bool = False) -> AsyncIterator[str]:
    """Give the URL of a new database, migrated unless `empty`."""
    async with servers.new_database(NEWEST, shards=None if empty else 1) as url:
        yield url


@asynccontextmanager
async def new_site(servers: Servers, folder: Path, *, empty: bool = False, **environment: str) -> AsyncIterator[Site]:
    """Run a service with these settings on its own database."""
    defaults = {"HOURLEDGER_EVENT_RETENTION_DAYS": str(RETENTION_DAYS), "PYTHONWARNINGS": "default"}
    settings = defaults | environment
    async with new_database(servers, empty=empty) as url:
        with (
            running_service(folder, url, port=None, **settings) as running,
            # Use no connection twice, because the service closes one after it refuses a body unread.
            plain_http.new_client(running.url, limits=ONCE) as client,
        ):
            yield Site(running, url, client)


def now() -> datetime:
    return datetime.now(UTC)


def hour_start(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def text_of(moment: datetime) -> str:
    """Return a time in the format of answers."""
    digits = "milliseconds" if moment.microsecond % 1000 == 0 else "microseconds"
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def unique(name: str) -> str:
    """Return a name that no other test uses."""
    return f"{name}-{uuid4().hex}"


def an_event(*, at: datetime | None = None, **fields: Any) -> Json:
    """Return an event as a client sends it, with the required fields and the given ones."""
    return {"event_type": "opened", "session_id": "s-1", "timestamp": text_of(at or now()), **fields}


def refused(answer: httpx.Response, status: int, code: str, field: str | None = None) -> str:
    """Check that an answer is an error in the common form; return its message."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    return refusal(answer.json(), code, field)


def refusal(body: Json, code: str, field: str | None = None) -> str:
    """Check the body of an error; return its message."""
    message = body["error"]["message"]
    expected = {"code": code, "message": message} | ({} if field is None else {"field": field})
    assert body == {"ok": False, "error": expected}
    assert isinstance(message, str)
    assert message.strip()
    return message
