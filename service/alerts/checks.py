"""Looks whether the condition of a rule holds. The numbers are those of the reports."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from statistics import median

from service.access.sites import Site
from service.alerts.conditions import Bound, Condition, Silence, State, length_text, number_text
from service.alerts.messages import clock_text
from service.alerts.numbers import Numbers
from service.alerts.worker_reasons import WorkerReasons
from service.console import counted
from service.questions.buckets import zone
from service.questions.filters import NOTHING
from service.questions.hours import FIRST, quarter_start
from service.reports.counts import Counts, Scope, Wanted
from service.reports.degraded import lag_of, why_behind, why_degraded
from service.reports.kept_range import ROLLUPS
from service.settings import Settings
from sql.database import Database
from sql.hourly import METRICS, PROJECTION
from sql.retention import clock_warnings

WEEKS = 4
# Fewer weeks do not say what is usual.
FEWEST_WEEKS = 2
WEEK = timedelta(weeks=1)
# Reasons are sentences; a message has no more of them than this.
MOST_REASONS = 10


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look found: whether the condition holds, and a sentence that says why."""

    firing: bool
    text: str


class Checks:
    """The checks of one worker. numbers_of: the numbers of a site. A check reads, and changes nothing.

    reasons: of this worker, and what the others told.
    """

    def __init__(
        self, database: Database, numbers_of: Callable[[Site], Numbers], reasons: WorkerReasons, settings: Settings
    ) -> None:
        self._database = database
        self._numbers_of = numbers_of
        self._reasons = reasons
        self._settings = settings

    async def look(self, condition: Condition, site: Site, since: datetime, now: datetime) -> Finding | None:
        """Return what is found, None when it is not known.

        since: when the rule began; the silence of a site without events counts from then. Raises ServiceError and
        sql.errors.DatabaseError.
        """
        match condition:
            case Bound():
                return await self._bound(condition, site, now)
            case Silence():
                return await self._silence(condition, site, since, now)
            case _:
                return await self._state(condition, site, now)

    async def _state(self, condition: State, site: Site, now: datetime) -> Finding | None:
        match condition:
            case State.FAILED_PROOF:
                return await self._failed_proof(site)
            case State.LOW_DISK:
                return _of_reasons(await self._reasons.disk(now), "the disk has room")
            case State.WRONG_CLOCK:
                row = await self._database.only(self._database.statements.read_retention)
                return _of_reasons(clock_warnings(row), "the clocks are right")
            case State.DEGRADED:
                return await self._degraded(now)
            case State.WEEKLY_REPORT:
                return None

    async def _bound(self, condition: Bound, site: Site, now: datetime) -> Finding | None:
        until = quarter_start(now)
        since = until - condition.length
        counts = self._numbers_of(site).counts
        known = await counts.known(ROLLUPS)
        if known.reason(since, until) or (not condition.above and not known.reaches(since)):
            return None  # what was not counted is not few
        bound = condition.bound
        usual = None
        if condition.of_usual:
            usual = await self._usual(condition, counts, until, zone(site.time_zone))
            if usual is None:
                return None
            bound = bound * usual / 100
        value = await _value(condition, counts, since, until)
        if value is None:
            return None
        firing = value > bound if condition.above else value < bound
        against = f"usual are {number_text(usual)}" if usual is not None else f"the bound is {number_text(bound)}"
        what = f"{condition.metric}{f' of {condition.event_type}' if condition.event_type else ''}"
        return Finding(
            firing,
            f"{number_text(value)} {what} in the {length_text(condition.length)} to {clock_text(until)}; {against}",
        )

    async def _usual(self, condition: Bound, counts: Counts, until: datetime, zone: tzinfo) -> float | None:
        """Return the median of the same local time of the weeks before; None when too few of them are known."""
        known = await counts.known(ROLLUPS)
        values = []
        for week in range(1, WEEKS + 1):
            end = weeks_before(until, week, zone)
            since = end - condition.length
            if known.reason(since, end) or not known.reaches(since):
                break
            value = await _value(condition, counts, since, end)
            if value is not None:
                values.append(value)
        return median(values) if len(values) >= FEWEST_WEEKS else None

    async def _silence(self, condition: Silence, site: Site, since: datetime, now: datetime) -> Finding:
        row = await self._database.only(self._database.statements.read_newest_received, [*site.shards])
        newest: datetime | None = row["received_at"]
        quiet = now - max(newest or FIRST, since) >= condition.length
        told = f"the newest event came at {clock_text(newest)}" if newest else "no event ever came"
        return Finding(quiet, told)

    async def _failed_proof(self, site: Site) -> Finding:
        # All hours lie outside of an empty range.
        query = self._database.statements.list_failed_elsewhere
        rows = await self._database.rows(query, [*site.shards], PROJECTION, FIRST, FIRST, 1)
        if not rows:
            return Finding(firing=False, text="all hours that were checked are right")
        newest = f"the newest is {clock_text(rows[0]['hour'])}: {rows[0]['state']}"
        return Finding(firing=True, text=f"the proof of {counted(rows[0]['hours'], 'hour')} failed; {newest}")

    async def _degraded(self, now: datetime) -> Finding:
        checkpoints = await self._database.rows(self._database.statements.list_lags, PROJECTION, None)
        why = await why_degraded(self._database, self._settings)
        why += await self._reasons.events(now)
        return _of_reasons(why + why_behind(lag_of(checkpoints)), "nothing is wrong")


def weeks_before(moment: datetime, weeks: int, zone: tzinfo) -> datetime:
    """Return the same local time some weeks before, so that a change of the clocks moves nothing."""
    wall = moment.astimezone(zone).replace(tzinfo=None)
    return (wall - weeks * WEEK).replace(tzinfo=zone).astimezone(UTC)


async def _value(condition: Bound, counts: Counts, since: datetime, until: datetime) -> float | None:
    scope = Scope(ROLLUPS, since, until, NOTHING)
    if condition.event_type is not None:
        wanted = Wanted(("event_type",), keys=(condition.event_type,))
        read = await counts.read(scope, [since, until], wanted)
        return read.keys("event_type").get(condition.event_type, 0)
    read = await counts.read(scope, [since, until], Wanted(METRICS[condition.metric], most=0))
    return read.value(condition.metric, 0)


def _of_reasons(why: Sequence[str], otherwise: str) -> Finding:
    if not why:
        return Finding(firing=False, text=otherwise)
    more = [f"{len(why) - MOST_REASONS} more"] if len(why) > MOST_REASONS else []
    return Finding(firing=True, text="; ".join([*why[:MOST_REASONS], *more]))
