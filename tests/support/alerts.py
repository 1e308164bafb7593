"""A worker's watch over rules of alerts, with a clock that the test moves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from service.access.sites import Site
from service.alerts.checks import Checks
from service.alerts.deliveries import Deliveries, Outcome
from service.alerts.rules import add_rule
from service.alerts.watch import LOOK_SECONDS, Watch
from service.alerts.worker_reasons import WorkerReasons
from service.app import Service
from service.settings import load
from tests.support.log import NOW

TURN = timedelta(seconds=LOOK_SECONDS)
HOUR = timedelta(hours=1)


@dataclass
class Clock:
    """A clock that stands still until a test moves it."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now


@dataclass
class Watcher:
    """One worker. outcomes: of its attempts to send."""

    service: Service
    watch: Watch
    checks: Checks
    clock: Clock
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def site(self) -> Site:
        """The default site."""
        return self.service.sites.default

    async def look(self) -> None:
        """Let the worker look half a minute later, and send what is due then."""
        self.clock.now += TURN
        await self.service.sites.look()
        await self.watch.look()
        await self.watch.send()

    async def add(self, name: str, condition: str, *targets: str, site: Site | None = None) -> str:
        """Add a rule, which began an hour ago by the clock; return its secret."""
        secret = await add_rule(self.service.log, name, site or self.site, condition, targets)
        await self.service.log.rows(
            "update alert_rules set created_at = $2 where name = $1", name, self.clock.now - HOUR
        )
        return secret


@asynccontextmanager
async def watching(url: str, folder: Path, clock: Clock, smtp_url: str = "") -> AsyncIterator[Watcher]:
    """Give a worker that watches during the block. Several may watch one database, with one clock."""
    settings = load({"DATABASE_URL": url, "HOURLEDGER_DATA_DIR": str(folder), "HOURLEDGER_SMTP_URL": smtp_url})
    service = Service(settings)
    outcomes: list[Outcome] = []
    reasons = WorkerReasons(service.log, service.appender)
    checks = Checks(service.database, service.numbers_of, reasons, settings)
    deliveries = Deliveries(service.log, settings.smtp_url, outcomes.append)
    watch = Watch(service.log, service.sites, reasons, checks, deliveries, service.numbers_of, clock)
    await service.sites.look()
    try:
        yield Watcher(service, watch, checks, clock, outcomes)
    finally:
        for each in (service.work, service.raw_events, service.exports):
            await each.close()
        for database in (service.log, service.access, service.looking, service.database):
            await database.close()


@contextmanager
def without_proxies() -> Iterator[None]:
    """Let nothing of the environment stand between this process and loopback."""
    with pytest.MonkeyPatch.context() as patched:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            patched.delenv(name, raising=False)
            patched.delenv(name.lower(), raising=False)
        yield
