"""The service behind pgbouncer in transaction mode, with fewer servers than the service has connections."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest
import pytest_asyncio

from sql.database import is_pooler_between
from sql.embedded.accounts import server_account
from tests.conftest import RETENTION_DAYS, Servers, folder_for_servers, running_service
from tests.http.support.site import HOUR, Site, an_event, hour_start, new_database, now, text_of, unique
from tests.http.support.starting import start
from tests.support import plain_http
from tests.support.waiting import wait_until

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
PORT = 6432
CONFIGURATION = """
[databases]
* = {server}
[pgbouncer]
pool_mode = transaction
default_pool_size = 4
auth_type = any
unix_socket_dir = {folder}
listen_port = {port}
logfile = {folder}/log
"""
SHARDS = 8


def words_for_server(url: str) -> str:
    """Return the connection string with which pgbouncer reaches the server of a URL."""
    parts = urlsplit(url)
    query = parse_qs(parts.query)
    words = {
        "host": parts.hostname or query["host"][0],
        "port": parts.port or query.get("port", ["5432"])[0],
        "user": parts.username,
        "password": unquote(parts.password) if parts.password else None,
    }
    return " ".join(f"{name}='{value}'" for name, value in words.items() if value is not None)


@contextmanager
def pgbouncer(url: str) -> Iterator[str]:
    """Run pgbouncer as the user that the server knows; give the URL of the database behind it."""
    assert PROGRAM is not None
    account = server_account()
    with folder_for_servers() as parent:
        folder = parent / "pgbouncer"
        folder.mkdir(mode=0o755)
        os.chown(folder, account.uid, account.gid)
        configuration = parent / "pgbouncer.ini"
        configuration.write_text(CONFIGURATION.format(server=words_for_server(url), folder=folder, port=PORT))
        configuration.chmod(0o644)
        command = [PROGRAM, "--quiet", str(configuration)]
        if os.geteuid() == 0:  # pgbouncer refuses to run as root
            command[1:1] = [f"--user={account.name}"]
        with subprocess.Popen(command) as process:
            try:
                wait_until((folder / f".s.PGSQL.{PORT}").exists, "pgbouncer listens")
                yield url.partition("?")[0] + f"?host={quote(str(folder))}&port={PORT}"
            finally:
                process.terminate()


@pytest_asyncio.fixture(scope="module")
async def behind(servers: Servers, folder: Path) -> AsyncIterator[tuple[Site, str]]:
    """Give a service behind pgbouncer that began with an empty database, and the database URL that it uses."""
    if PROGRAM is None:
        pytest.skip("needs pgbouncer, a package of Debian; tests/integration/sql/test_pooler.py does without")
    async with new_database(servers, empty=True) as url:
        with (
            pgbouncer(url) as bounced,
            running_service(
                folder,
                bounced,
                HOURLEDGER_SHARDS=str(SHARDS),
                HOURLEDGER_WORKERS="2",
                HOURLEDGER_EVENT_RETENTION_DAYS=str(RETENTION_DAYS),
            ) as running,
            plain_http.new_client(running.url) as client,
        ):
            site = Site(running, url, client)
            yield site, bounced
            site.check_log()


def test_the_service_works_behind_pgbouncer(behind: tuple[Site, str]) -> None:
    site, bounced = behind
    assert asyncio.run(is_pooler_between(bounced))
    assert not asyncio.run(is_pooler_between(site.database_url))
    hour = hour_start(now()) - 3 * HOUR
    events = [
        an_event(at=hour + timedelta(seconds=n), event_id=unique("e"), session_id=f"s-{n % 70}", tool_name=f"t-{n % 3}")
        for n in range(1_000)
    ]
    batches = [events[place : place + 50] for place in range(0, 1_000, 50)]
    with ThreadPoolExecutor(8) as senders:
        # The senders send each batch twice.
        answers = list(senders.map(lambda batch: site.send(*batch), batches * 2))
        singles = list(senders.map(lambda event: site.client.post("/e", json=event).status_code, events[:50]))
        rollups = list(senders.map(lambda _: site.get("/api/analytics/rollups/" + text_of(hour))["rollup"], range(8)))
    assert sum(answer["stored"] for answer in answers) == sum(answer["duplicates"] for answer in answers) == 1_000
    assert singles == [200] * 50
    assert [(rollup["total_events"], rollup["unique_sessions"]) for rollup in rollups] == [(1_000, 70)] * 8
    assert rollups[0]["tool_usage"] == {"t-0": 334, "t-1": 333, "t-2": 333}
    assert len(site.listed(session_id="s-7")) == sum(event["session_id"] == "s-7" for event in events)
    exported = site.client.get("/api/analytics/export", params={"format": "ndjson"}).text.splitlines()
    assert {json.loads(line)["event_id"] for line in exported} >= {event["event_id"] for event in events}
    totals = site.client.get("/api/analytics/export", params={"of": "rollups"}).text.splitlines()
    assert f"{text_of(hour)},total_events,,1000" in totals
    site.wait_until_folded()


def test_the_commands_work_behind_pgbouncer(behind: tuple[Site, str]) -> None:
    site, bounced = behind
    for command in ("service migrate", *(f"projections {name}" for name in ("rebuild", "retention", "status"))):
        done = start(*command.split(), DATABASE_URL=bounced, HOURLEDGER_EVENT_RETENTION_DAYS=str(RETENTION_DAYS))
        assert done.returncode == 0, done.stdout + done.stderr
    data = str(site.data_dir)
    verified = start("projections", "verify", "--json", DATABASE_URL=bounced, HOURLEDGER_DATA_DIR=data)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert json.loads(verified.stdout)["ok"] is True
