"""Every number has one definition: all reads agree with each other and with a count of the sent events."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.http.support.known import Known
from tests.http.support.site import HOUR, Json, hour_start, now, text_of
from tests.support.oracle import QUARTER

BI_ROLLUPS = """
select hour, total_events, unique_sessions, event_counts::text as event_counts, tool_usage::text as tool_usage
from bi.hourly_rollups where hour >= $1 and hour < $2
"""
BI_DAYS = "select day, events, sessions, tool_uses, users, visitors from bi.daily where day >= $1 and day <= $2"
BI_EVENTS = """
select
    count(*) as events, count(distinct session_id) as sessions, count(tool_name) as tool_uses,
    count(distinct user_id) as users
from bi.events
where timestamp >= $1 and timestamp < $2
"""

CHARTS = (
    *(("quarter", "UTC"), ("hour", "UTC"), ("hour", "Asia/Kolkata")),
    *(("day", "Asia/Kathmandu"), ("week", "America/St_Johns"), ("month", "UTC")),
)


@dataclass(frozen=True)
class Numbers:
    """A service and a range of its known events."""

    known: Known
    since: datetime
    until: datetime

    @property
    def range(self) -> dict[str, str]:
        return {"from": text_of(self.since), "to": text_of(self.until)}

    def get(self, path: str, **query: object) -> Json:
        return self.known.site.get(f"/api/analytics/{path}", **self.range, **query)

    def export(self, of: str, form: str) -> str:
        query = {**self.range, "of": of, "format": form}
        answer = self.known.site.client.get("/api/analytics/export", params=query)
        assert answer.status_code == 200
        return answer.text

    def exported(self) -> list[Json]:
        return [json.loads(line) for line in self.export("events", "ndjson").rstrip("\n").split("\n")]

    def asked(self, **body: Any) -> Json:
        answer = self.known.site.client.post("/api/analytics/funnels", json=self.range | body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    @property
    def is_whole(self) -> bool:
        """Tell whether the range is of whole hours, and holds the first event."""
        return self.since.minute == 0

    @property
    def events(self) -> list[Json]:
        return self.known.between(self.since, self.until)


@pytest.fixture(params=["hours", "quarters"])
def numbers(known: Known, request: pytest.FixtureRequest) -> Numbers:
    """Give a range that holds every known event except those in the future, or one that cuts them at quarters."""
    base = known.busiest() + 3 * HOUR
    if request.param == "quarters":
        return Numbers(known, base - 27 * HOUR + 2 * QUARTER, base - 5 * HOUR + 2 * QUARTER)
    return Numbers(known, base - 40 * HOUR, hour_start(now()) + HOUR)


def summed(answer: Json) -> int:
    return sum(int(bucket["value"]) for bucket in answer["buckets"])


def grouped(answer: Json) -> int:
    return sum(int(bucket["value"]) for group in answer["groups"] for bucket in group["buckets"])


def ways_to_count_events_by_session(it: Numbers) -> Iterator[tuple[str, int]]:
    by_session = it.get("top", by="session_id", metric="events", limit=3)
    yield "top by session", by_session["total"]
    yield "top by session, summed", sum(row["events"] for row in by_session["rows"]) + by_session["other"]
    yield "chart by session", grouped(it.get("trends", by="session_id", interval="day", top=2))
    yield (
        "list of alternatives",
        it.get("track", limit=1, where="(tool_name exists or tool_name missing) and not event_type missing")[
            "total_in_range"
        ],
    )


def ways_to_count_events(it: Numbers) -> Iterator[tuple[str, int]]:
    """Give the number of events from every read that has it."""
    rollups = it.get("rollups")
    yield "rollups", rollups["total_events"]
    yield "rollups, by hour", sum(rollup["total_events"] for rollup in rollups["rollups"])
    yield "rollups, by type", sum(sum(rollup["event_counts"].values()) for rollup in rollups["rollups"])
    yield "card", it.get("summary")["totals"]["events"]
    yield "cards of both halves", sum(it.get("summary", demo_mode=mode)["totals"]["events"] for mode in (0, 1))
    if it.is_whole:
        yield "proofs", sum(proof["events"] for proof in it.get("proofs")["proofs"])
    yield "types", sum(row["events"] for row in it.get("summary")["event_types"])
    yield "list", it.get("track", limit=1)["total_in_range"]
    yield (
        "list of a condition and its contrary",
        sum(it.get("track", limit=1, where=f"tool_name {word}")["total_in_range"] for word in ("exists", "missing")),
    )
    for interval, tz in CHARTS:
        yield f"chart by {interval} in {tz}", summed(it.get("trends", interval=interval, tz=tz))
    for by in ("event_type", "demo_mode"):
        yield f"chart by {by}", grouped(it.get("trends", by=by, interval="day", top=2))
        if by == "event_type":
            top = it.get("top", by=by, limit=3)
            yield "top", top["total"]
            yield "top, summed", sum(row["events"] for row in top["rows"]) + top["other"]
    yield "properties", it.get("properties")["events"]
    yield from ways_to_count_events_by_session(it)
    yield "export of events", len(it.exported())
    rows = list(csv.DictReader(io.StringIO(it.export("rollups", "csv"))))
    for measure in ("total_events", "event_counts"):
        yield f"export of {measure}", sum(int(row["value"]) for row in rows if row["measure"] == measure)
    if it.is_whole:
        views = it.known.site.rows(BI_ROLLUPS, it.since, it.until)
        yield "bi.hourly_rollups", sum(row["total_events"] for row in views)
        yield "bi.hourly_rollups, by type", sum(sum(json.loads(row["event_counts"]).values()) for row in views)
    yield "bi.events", it.known.site.rows(BI_EVENTS, it.since, it.until)[0]["events"]


def ways_to_count_sessions(it: Numbers) -> Iterator[tuple[str, int]]:
    """Give the number of distinct sessions from every read that has it."""
    yield "rollups", it.get("rollups")["distinct_sessions"]
    yield "card", it.get("summary")["totals"]["sessions"]
    yield "card of raw events", it.get("summary", where="event_type exists")["totals"]["sessions"]
    yield "visits", it.get("visits")["visits"]
    yield "top", it.get("top", by="event_type", metric="sessions")["total"]
    yield "top by session", len(it.get("top", by="session_id", limit=1000)["rows"])
    # The whole range as one bucket.
    yield "chart", whole(it, "sessions")
    yield "events per session", round(it.get("summary")["totals"]["events"] / whole(it, "events_per_session"))
    yield "export of events", len(sessions_of(it.exported()))
    yield "funnel", it.asked(steps=[{"where": "properties.no missing"}] * 2)["steps"][0]["reached"]
    yield "bi.events", it.known.site.rows(BI_EVENTS, it.since, it.until)[0]["sessions"]


def ways_to_count_page_views(it: Numbers) -> Iterator[tuple[str, int]]:
    """Give the number of page views from every read that has it."""
    yield "visits", it.get("visits")["page_views"]
    yield "visits with a filter", it.get("visits", where="event_type exists")["page_views"]
    yield "card of a filter", it.get("summary", event_type="page_viewed")["totals"]["events"]
    yield "chart", summed(it.get("trends", metric="page_views", interval="day"))
    yield "chart by mode", grouped(it.get("trends", metric="page_views", interval="day", by="demo_mode"))


def ways_to_count_users(it: Numbers) -> Iterator[tuple[str, int]]:
    """Give the number of distinct users from every read that has it; all of them are new in the whole range."""
    yield "card", it.get("summary")["totals"]["users"]
    if it.is_whole:
        yield "card of new ones", it.get("summary")["totals"]["new_users"]
        for name, conditions in (("cohorts", {}), ("cohorts of raw events", {"where": "event_type exists"})):
            cohorts = it.get("cohorts", interval="day", **conditions)["cohorts"]
            yield name, sum(cohort["size"] for cohort in cohorts)
    yield "card of raw events", it.get("summary", where="event_type exists")["totals"]["users"]
    yield "chart", whole(it, "users")
    yield "visitors that are known", it.get("summary", where="user_id exists")["totals"]["visitors"]
    yield "funnel", it.asked(by="user", steps=[{"where": "properties.no missing"}] * 2)["steps"][0]["reached"]
    yield "bi.events", it.known.site.rows(BI_EVENTS, it.since, it.until)[0]["users"]


def ways_to_count_visitors(it: Numbers) -> Iterator[tuple[str, int]]:
    """Give the number of visitors from every read that has it."""
    yield "card", it.get("summary")["totals"]["visitors"]
    yield "card of raw events", it.get("summary", where="event_type exists")["totals"]["visitors"]
    yield "chart", whole(it, "visitors")
    identified = it.get("summary", where="user_id exists")["totals"]
    everybody = it.get("summary")["totals"]
    yield "visits", it.get("visits")["visitors"]
    yield "top", it.get("top", by="event_type", metric="visitors")["total"]
    yield "users and the rest", everybody["users"] + everybody["sessions"] - identified["sessions"]


def whole(it: Numbers, metric: str) -> Any:
    """Return the value of a trend with one bucket that holds the whole range."""
    found = [
        bucket["value"]
        for interval in ("week", "month")
        for bucket in it.get("trends", metric=metric, interval=interval)["buckets"]
        if (bucket["start"], bucket["end"]) == tuple(it.range.values())
    ]
    # No bucket holds a range that crosses the end of a week and of a month, so ask the summary.
    return found[0] if found else it.get("summary")["totals"][metric]


def sessions_of(events: list[Json]) -> set[str]:
    return {event["session_id"] for event in events}


def users_of(events: list[Json]) -> set[str]:
    return {event["user_id"] for event in events if event.get("user_id")}


def visitors_of(events: list[Json]) -> int:
    identified = {event["session_id"] for event in events if event.get("user_id")}
    return len(users_of(events)) + len(sessions_of(events) - identified)


Ways = Callable[[Numbers], Iterator[tuple[str, int]]]
COUNTS: dict[Ways, Callable[[list[Json]], int]] = {
    ways_to_count_events: len,
    ways_to_count_sessions: lambda events: len(sessions_of(events)),
    ways_to_count_page_views: lambda events: sum(event["event_type"] == "page_viewed" for event in events),
    ways_to_count_users: lambda events: len(users_of(events)),
    ways_to_count_visitors: visitors_of,
}


@pytest.mark.parametrize("ways", COUNTS, ids=lambda ways: ways.__name__)
def test_every_read_tells_the_same_number(numbers: Numbers, ways: Ways) -> None:
    found = dict(ways(numbers))
    assert found == dict.fromkeys(found, COUNTS[ways](numbers.events))


def test_every_read_tells_the_same_of_tools(numbers: Numbers) -> None:
    expected = Counter(event["tool_name"] for event in numbers.events if event.get("tool_name"))
    uses = expected.total()
    assert numbers.get("summary")["totals"]["tool_uses"] == uses
    assert summed(numbers.get("trends", metric="tool_uses", interval="day")) == uses
    rows = numbers.get("top", by="tool_name", limit=1000)["rows"]
    assert {row["key"]: row["events"] for row in rows} == dict(expected) or len(expected) > 1000
    used: Counter[str] = Counter()
    for row in numbers.known.site.rows(BI_ROLLUPS, numbers.since, numbers.until):
        used.update(json.loads(row["tool_usage"]))
    assert used == expected or not numbers.is_whole
    assert numbers.known.site.rows(BI_EVENTS, numbers.since, numbers.until)[0]["tool_uses"] == uses


def test_the_days_of_the_chart_are_those_of_the_views_and_of_a_count(numbers: Numbers) -> None:
    utc = ZoneInfo("UTC")
    days = [bucket["start"][:10] for bucket in numbers.get("trends", interval="day")["buckets"]]
    # Compare whole days only, because the view has no others.
    first = datetime.fromisoformat(f"{days[1]}T00:00:00+00:00")
    end = datetime.fromisoformat(f"{days[-1]}T00:00:00+00:00") + timedelta(days=1)
    views = {row["day"]: row for row in numbers.known.site.rows(BI_DAYS, first.date(), end.date() - timedelta(days=1))}
    scope = {"from": text_of(first), "to": text_of(end), "interval": "day"}
    for metric in ("events", "sessions", "tool_uses", "users", "visitors"):
        buckets = numbers.known.site.get("/api/analytics/trends", **scope, metric=metric)["buckets"]
        for bucket in buckets:
            start = datetime.fromisoformat(bucket["start"]).astimezone(utc)
            events = numbers.known.between(start, start + timedelta(days=1))
            counted = {
                "events": len(events),
                "sessions": len(sessions_of(events)),
                "tool_uses": sum(bool(event.get("tool_name")) for event in events),
                "users": len(users_of(events)),
                "visitors": visitors_of(events),
            }[metric]
            assert bucket["value"] == counted
            assert (views[start.date()][metric] if start.date() in views else 0) == counted
