"""The weekly report of a site: what is in it, and when it is due. The numbers are those of the dashboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from service.access.sites import Site
from service.alerts.numbers import Numbers
from service.errors import Expired
from service.questions.buckets import zone
from service.questions.hours import time_text
from service.reports.counts import Known
from service.reports.kept_range import ROLLUPS

WEEK = timedelta(weeks=1)
# On Mondays, in the time zone of the site.
MORNING = time(7)
# The totals of a report, and what people call them.
TOTALS = {"events": "Events", "sessions": "Sessions", "visitors": "Visitors", "tool_uses": "Tool uses"}
LISTS = {"event_types": "Event types", "tool_usage": "Tools"}
MOST_ROWS = 5
Totals = Mapping[str, int | float | None]


@dataclass(frozen=True, slots=True)
class Week:
    """A week of a site. monday: its first day. time_zone: an IANA name. before: totals of the week before, if known.

    days: each with its events. lists: the most frequent keys by the names of LISTS. proofs: hours by state.
    """

    site: str
    monday: date
    time_zone: str
    totals: Totals
    before: Totals | None
    days: Sequence[tuple[date, int]]
    lists: Mapping[str, Sequence[tuple[str, int]]]
    proofs: Counter[str]


def due_monday(created_at: datetime, reported_for: date | None, now: datetime, zone: tzinfo) -> date | None:
    """Return the Monday whose report is due, None when there is none: it was made, or the rule is younger.

    A service that was off on Monday morning reports when it is back, in the same week.
    """
    today = now.astimezone(zone).date()
    monday = today - today.weekday() * timedelta(days=1)
    morning = datetime.combine(monday, MORNING, zone)
    is_due = created_at < morning <= now
    return monday if is_due and (reported_for is None or reported_for < monday) else None


async def week_before(monday: date, site: Site, numbers: Numbers) -> Week:
    """Return the week that ends with a Monday, and the totals of the week before it. Raises ServiceError."""
    first, second, third = (_midnight(monday - weeks * WEEK, zone(site.time_zone)) for weeks in (2, 1, 0))
    told = await _summary(numbers, second, third, site.time_zone)
    known = await numbers.counts.known(ROLLUPS)
    proofs = await numbers.proofs.page(urlencode({"from": time_text(second), "to": time_text(third)}).encode())
    return Week(
        site.name,
        monday - WEEK,
        site.time_zone,
        told["totals"],
        await _totals_before(numbers, first, second, site.time_zone, known),
        [_day(bucket, zone(site.time_zone)) for bucket in told["buckets"]],
        {name: _most(told[name]) for name in LISTS},
        Counter(proof["state"] for proof in proofs["proofs"]),
    )


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


async def _summary(numbers: Numbers, since: datetime, until: datetime, time_zone: str) -> dict[str, Any]:
    asked = {"from": time_text(since), "to": time_text(until), "interval": "day", "tz": time_zone}
    return await numbers.summary.page(urlencode(asked).encode())


async def _totals_before(
    numbers: Numbers, since: datetime, until: datetime, time_zone: str, known: Known
) -> Totals | None:
    if known.reason(since, until) or not known.reaches(since):
        return None
    try:
        totals: Totals = (await _summary(numbers, since, until, time_zone))["totals"]
    except Expired:  # retention took it meanwhile
        return None
    return totals


def _day(bucket: Mapping[str, Any], zone: tzinfo) -> tuple[date, int]:
    return datetime.fromisoformat(bucket["start"]).astimezone(zone).date(), bucket["totals"]["events"]


def _most(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, int]]:
    named = [(row["key"], row["events"]) for row in rows if not row.get("rest")]
    return named[:MOST_ROWS]
