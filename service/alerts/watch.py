"""Looks every half minute whether rules hold, and sends what they have to tell. Without a rule it asks nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta

import msgspec
import structlog

from service.access.sites import Site, Sites
from service.alerts.checks import Checks
from service.alerts.conditions import State, condition_of
from service.alerts.deliveries import Deliveries
from service.alerts.messages import About, Message, alert, recovery
from service.alerts.numbers import Numbers
from service.alerts.weekly import due_monday, week_before
from service.alerts.weekly_text import report
from service.alerts.worker_reasons import WorkerReasons
from service.errors import ServiceError
from service.questions.buckets import zone
from sql.database import Database, Row
from sql.errors import DatabaseError

LOOK_SECONDS = 30.0
# A look may come a little early, and must not miss its turn by that.
PAUSE = timedelta(seconds=LOOK_SECONDS - 5)

log = structlog.get_logger(__name__)


class Watch:
    """Looks at the rules of all sites in one worker. Any number of workers may: each change is told once.

    database: writable. reasons: of this worker. numbers_of: the reports of a site. clock: for the conditions, and for
    when messages are due.
    """

    def __init__(
        self,
        database: Database,
        sites: Sites,
        reasons: WorkerReasons,
        checks: Checks,
        deliveries: Deliveries,
        numbers_of: Callable[[Site], Numbers],
        clock: Callable[[], datetime],
    ) -> None:
        self._database = database
        self._sites = sites
        self._reasons = reasons
        self._checks = checks
        self._deliveries = deliveries
        self._numbers_of = numbers_of
        self._clock = clock
        self._seen: int | None = None
        self._has_rules = False
        self._looked = asyncio.Event()
        self._failing: set[int] = set()

    async def follow(self) -> None:
        """Look and send again and again, until cancelled. A fault is logged once, until it is over."""
        # Beside each other, so that targets that do not answer keep no rule from being looked at.
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._repeat(self._look_later, "look"))
            tasks.create_task(self._repeat(self._send_when_looked, "send"))

    async def _repeat(self, step: Callable[[], Awaitable[None]], what: str) -> None:
        told: type[Exception] | None = None
        while True:
            try:
                await step()
                told = None
            except DatabaseError as error:
                if told is not DatabaseError:
                    log.warning("alerts wait, because the database cannot answer", step=what, error=str(error))
                told = DatabaseError
            except Exception as error:
                if told is not type(error):
                    log.exception("the service failed to look at alerts, or to send them", step=what)
                told = type(error)

    async def _look_later(self) -> None:
        await asyncio.sleep(LOOK_SECONDS)
        await self.look()

    async def _send_when_looked(self) -> None:
        await self._looked.wait()
        self._looked.clear()
        await self.send()

    async def look(self) -> None:
        """Look at the rules that are due. Raises sql.errors.DatabaseError."""
        if not await self._any_rule():
            return
        await self._reasons.tell(self._clock())
        for row in await self._database.rows(self._database.statements.claim_alert_rules, self._clock(), PAUSE):
            await self._try(row)
        self._looked.set()

    async def send(self) -> None:
        """Send the messages that are due; nothing without a rule. Raises sql.errors.DatabaseError."""
        if self._has_rules:
            await self._deliveries.send_due(self._clock)

    async def _try(self, row: Row) -> None:
        """Look at a rule. What keeps one from being looked at must not keep the others, so it is only logged, once."""
        try:
            await self._look_at(row)
            self._failing.discard(row["rule"])
        except (ServiceError, DatabaseError) as error:
            if row["rule"] not in self._failing:
                log.warning("a rule of alerts cannot be looked at now", rule=row["name"], why=str(error))
            self._failing.add(row["rule"])
        except Exception:
            if row["rule"] not in self._failing:
                log.exception("the service failed to look at a rule of alerts", rule=row["name"])
            self._failing.add(row["rule"])

    async def _any_rule(self) -> bool:
        """Return whether there are rules. Each change of one raises the version that sites and keys have."""
        version = self._sites.version
        if version is not None and version != self._seen:
            self._has_rules = (await self._database.only(self._database.statements.has_alert_rules))["any_rule"]
            self._seen = version
        return self._has_rules

    async def _look_at(self, row: Row) -> None:
        site = self._sites.numbered(row["site"])
        if site.retired:
            return
        condition = condition_of(row["condition"])
        about = About(row["name"], site.name, row["condition"])
        if condition is State.WEEKLY_REPORT:
            await self._report(row, site, about)
            return
        now = row["looked_at"]
        found = await self._checks.look(condition, site, row["created_at"], now)
        if found is None or found.firing == row["firing"]:
            return
        message = alert(about, found.text, now) if found.firing else recovery(about, found.text, row["changed_at"], now)
        told = await self._database.only(
            self._database.statements.record_alert, row["rule"], now, found.firing, found.text, _json(message)
        )
        if told["deliveries"]:
            log.info("a rule of alerts changed", rule=about.rule, site=site.name, firing=found.firing, found=found.text)

    async def _report(self, row: Row, site: Site, about: About) -> None:
        reported_for: date | None = row["reported_for"]
        now = row["looked_at"]
        monday = due_monday(row["created_at"], reported_for, now, zone(site.time_zone))
        if monday is None:
            return
        message = report(about, await week_before(monday, site, self._numbers_of(site)), now)
        await self._database.only(self._database.statements.record_report, row["rule"], now, monday, _json(message))


def _json(message: Message) -> str:
    return msgspec.json.encode(message).decode()
