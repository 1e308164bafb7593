"""A running service with a server that tests make fail, and senders that record the answers."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from operator import not_
from pathlib import Path
from threading import Event as Flag
from time import monotonic
from uuid import uuid4

import asyncpg
import httpx
import psutil

from sql.embedded.share import EmbeddedServer, release, use
from tests.conftest import RETENTION_DAYS, RunningService, running_service
from tests.faults.table.load import one
from tests.http.support.site import Json, an_event
from tests.support import plain_http
from tests.support.waiting import is_ok, wait_until

SENDERS = 16
# Few connections, so that a test takes all of them quickly.
CONNECTIONS = 40
MIB = 2**20
WAITING = "hourledger_events_waiting"
TAKES_NONE = "events cannot be appended now"


@dataclass
class Senders:
    """Senders that each post one event after another, and repeat an event until it is acked.

    told: the number of answers by status. refused: the events that got a 503. slowest: the longest answer, in seconds.
    """

    url: str
    name: str = field(default_factory=lambda: uuid4().hex)
    acked: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)
    told: Counter[int] = field(default_factory=Counter)
    slowest: float = 0.0
    stop: Flag = field(default_factory=Flag)
    abandon: Flag = field(default_factory=Flag)

    async def send(self) -> None:
        """Run all senders until `stop`. Wait for their last acks, or for `abandon`. Raises when a connection is cut."""
        limits = httpx.Limits(max_connections=SENDERS)
        async with plain_http.new_async_client(self.url, limits=limits) as client:
            await asyncio.gather(*(self._send(client, sender) for sender in range(SENDERS)))

    async def _send(self, client: httpx.AsyncClient, sender: int) -> None:
        number = 0
        while not self.stop.is_set():
            event = an_event(event_id=f"{self.name}-{sender}-{number}", session_id=f"s-{sender}")
            while not await self._is_acked(client, event) and not self.abandon.is_set():  # noqa: ASYNC110  # acks come one by one
                await asyncio.sleep(0.05)  # far less than Retry-After asks for, because the service must cope with that
            number += 1

    async def _is_acked(self, client: httpx.AsyncClient, event: Json) -> bool:
        began = monotonic()
        answer = await client.post("/e", json=event)
        self.slowest = max(self.slowest, monotonic() - began)
        self.told[answer.status_code] += 1
        if answer.status_code != 503:
            assert answer.status_code == 200, answer.text
            self.acked.add(event["event_id"])
            return True
        check_refusal(answer)
        self.refused.add(event["event_id"])
        return False

    def wait_for(self, more: int) -> None:
        """Return once `more` further events are acked."""
        goal = len(self.acked) + more
        wait_until(lambda: len(self.acked), f"{goal} events are acked", 120, holds=lambda acked: acked >= goal)


def check_refusal(answer: httpx.Response) -> None:
    """Check that an answer is the 503 that asks to send again."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["retry-after"]) > 0
    assert answer.json()["ok"] is False


@dataclass
class Place:
    """The service and its server, with the controls and checks that outages need."""

    folder: Path
    server: EmbeddedServer
    running: RunningService
    client: httpx.Client

    @contextmanager
    def loaded(self) -> Iterator[Senders]:
        """Run senders during the block; then wait for their last acks, and check that each event is stored once."""
        senders = Senders(self.running.url)
        before = self.memory()
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(lambda: asyncio.run(senders.send()))
            try:
                senders.wait_for(100)
                yield senders
                senders.wait_for(100)
            except BaseException:
                senders.abandon.set()
                raise
            finally:
                senders.stop.set()
            running.result()
        self.check_recovered(senders.acked, senders.name)
        assert self.memory() - before < 24 * MIB

    def check_recovered(self, acked: set[str], name: str) -> None:
        """Check the recovery: each acked event is stored once, no event waits, and verify finds nothing wrong."""
        self.wait_until_ready()
        found = self.rows("select event_id from events where event_id like $1 || '%'", name)
        assert sorted(row["event_id"] for row in found) == sorted(acked)
        self.wait_until_nothing_waits()
        done = subprocess.run(
            [sys.executable, "-m", "projections", "verify"],
            env={"DATABASE_URL": self.server.url, "PATH": ""},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def wait_until_ready(self) -> None:
        """Wait until the service says that it is ready."""
        wait_until(self.ready, "the service is ready again", 60, holds=is_ok)

    def wait_until_refused(self) -> None:
        """Wait until the service says that it takes no events, and refuses them at once."""
        wait_until(
            self.ready, "the service says that it takes no events", 60, holds=lambda answer: TAKES_NONE in answer.text
        )
        self.check_refused_at_once()

    def wait_until_nothing_waits(self) -> None:
        """Wait until the metrics show no waiting event; the service gives up the commit under way last."""
        wait_until(self.waiting, "nothing waits", holds=not_)

    def check_refused_at_once(self) -> None:
        """Check that readiness and posts fail at once, without a wait for the database."""
        began = monotonic()
        for _ in range(5):
            check_refusal(self.ready())
            check_refusal(self.client.post("/e", json=an_event()))
            check_refusal(self.client.post("/e/batch", json=[an_event(), an_event()]))
        assert monotonic() - began < 2.0

    def ready(self) -> httpx.Response:
        return self.client.get("/health/ready")

    def waiting(self) -> float:
        """Return the number of waiting events from the metrics."""
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith(WAITING))

    def memory(self) -> int:
        """Return the memory of the HTTP workers, in bytes."""
        return sum(worker.memory_info().rss for worker in one(self.running, "http").children())

    def rows(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Run a statement as the administrator; return its rows."""

        async def fetched() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.server.url)
            try:
                return await connection.fetch(query, *arguments)
            finally:
                await connection.close()

        return asyncio.run(fetched())

    @contextmanager
    def holding(self, *statements: str) -> Iterator[None]:
        """Run statements in a transaction that stays open during the block."""
        with asyncio.Runner() as runner:
            connection = runner.run(asyncpg.connect(self.server.url))
            try:
                for statement in ("begin", *statements):
                    runner.run(connection.execute(statement))
                yield
            finally:
                runner.run(connection.close())

    def stop(self) -> None:
        """Stop the server."""
        release(self.server)

    def start(self) -> None:
        """Start the server."""
        self.server = use(self.folder, settings={"max_connections": str(CONNECTIONS)})

    def processes(self) -> list[psutil.Process]:
        """Return all processes of the server, the postmaster first."""
        postmaster = self.server.postgres.postmaster()
        assert postmaster is not None
        return [postmaster, *postmaster.children()]


@contextmanager
def new_place(folder: Path) -> Iterator[Place]:
    """Run the service on a new server during the block."""
    with ExitStack() as opened:
        server = use(folder, settings={"max_connections": str(CONNECTIONS)})
        environment = {"HOURLEDGER_EVENT_RETENTION_DAYS": str(RETENTION_DAYS)}
        running = opened.enter_context(running_service(folder, server.url, port=None, **environment))
        client = opened.enter_context(plain_http.new_client(running.url))
        place = Place(folder, server, running, client)
        try:
            yield place
        finally:
            release(place.server)


def tomorrow() -> datetime:
    """Return the first moment of the next day."""
    return datetime.fromtimestamp((datetime.now(UTC).timestamp() // 86_400 + 1) * 86_400, UTC)


@contextmanager
def commits_take_two_seconds(place: Place) -> Iterator[None]:
    """Slow each commit down during the block."""
    place.rows("""
        create function be_slow() returns trigger language plpgsql as $$
        begin
            if current_setting('test.was_slow', true) is distinct from 'on' then
                perform set_config('test.was_slow', 'on', true), pg_sleep(2);
            end if;
            return null;
        end $$
    """)
    place.rows("""
        create constraint trigger be_slow after insert on receipts deferrable initially deferred
        for each row execute function be_slow()
    """)
    try:
        yield
    finally:
        place.rows("drop function be_slow cascade")
