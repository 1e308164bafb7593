"""Retention overtakes every report: it drops a day after the report has read it and before it answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from projections.projector import catch_up
from service.archive.snapshot import Plan, read_plan
from service.reports.funnel_body import FunnelBody, Step
from service.reports.funnels import Funnels
from service.reports.kept_range import EVENTS, KeptRange
from service.reports.shards import Shards
from sql.database import Database
from tests.support.log import NOW, an_event, append
from tests.support.oracle import HOUR
from tests.support.reads import Reads, reads

TODAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
YESTERDAY = TODAY - timedelta(days=1)
MOMENTS = (YESTERDAY, YESTERDAY + HOUR, TODAY)
RANGE = f"from={YESTERDAY:%Y-%m-%dT%H:%MZ}&to={TODAY + 24 * HOUR:%Y-%m-%dT%H:%MZ}"

HELD = """
select exists (
    select from pg_locks as l
    where l.relation = 'events'::regclass and l.mode = 'AccessShareLock' and l.granted
        and l.pid <> pg_backend_pid()
)
"""

Answer = dict[str, Any]
Ask = Callable[[Reads, bytes], Awaitable[Answer]]
Number = Callable[[Answer], int]


async def ask_funnel(found: Reads, _: bytes) -> Answer:
    """Ask how many sessions have two page views."""
    funnels = Funnels(found.raw_events, found.segments, found.goals, lambda: NOW)
    step = Step(event_type="page_viewed")
    until = TODAY + 24 * HOUR
    return await funnels.answer(FunnelBody((step, step), since=YESTERDAY.isoformat(), until=until.isoformat()))


def of_buckets(answer: Answer) -> int:
    return sum(bucket["value"] for bucket in answer["buckets"])


def of_cohorts(answer: Answer) -> int:
    return sum(cohort["size"] for cohort in answer["cohorts"])


# Each report: its question, a number that shows whether yesterday's events count, and its value after the drop.
# No cohort begins today, because the log shows the user yesterday.
QUESTIONS: dict[str, tuple[Ask, str, Number, int]] = {
    "trends of events": (lambda f, q: f.trends.page(q), "&interval=day&demo_mode=true", of_buckets, 1),
    "trends of rollups": (lambda f, q: f.trends.page(q), "&interval=day", of_buckets, 1),
    "summary of events": (lambda f, q: f.summary.page(q), "&demo_mode=true", lambda a: a["totals"]["events"], 1),
    "summary of rollups": (lambda f, q: f.summary.page(q), "", lambda a: a["totals"]["events"], 1),
    "top of events": (lambda f, q: f.top_keys.page(q), "&demo_mode=true&by=event_type", lambda a: a["total"], 1),
    "top of rollups": (lambda f, q: f.top_keys.page(q), "&by=event_type", lambda a: a["total"], 1),
    "properties": (lambda f, q: f.properties.page(q), "", lambda a: a["events"], 1),
    "cohorts of events": (lambda f, q: f.cohorts.page(q), "&interval=day&demo_mode=true", of_cohorts, 0),
    "cohorts of rollups": (lambda f, q: f.cohorts.page(q), "&interval=day", of_cohorts, 0),
    "session": (lambda f, q: f.timelines.session("s", q), "", lambda a: len(a["events"]), 1),
    "user": (lambda f, q: f.timelines.user("u", q), "", lambda a: len(a["events"]), 1),
    "event list": (lambda f, q: f.event_list.page(q), "", lambda a: a["count"], 1),
    "funnel": (ask_funnel, "", lambda a: a["steps"][1]["reached"], 0),
}


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_day_that_is_dropped_while_a_report_reads_is_left_out(
    database: Database, database_url: str, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ask, query, number, expected = QUESTIONS[name]
    events = [an_event(place, at=at, session="s", kind="page_viewed", user="u") for place, at in enumerate(MOMENTS)]
    assert await append(database, events) == {}
    await catch_up(database)
    look = KeptRange.moved
    starts: list[datetime] = []

    async def drop_before_the_second_look(kept: KeptRange) -> bool:
        if len(starts) == 1:
            await admin.execute("insert into retired_days select shard, $1, 0, now() from log_heads", YESTERDAY.date())
            await admin.execute(
                "insert into shard_totals (shard, rollups_since) values (0, $1)"
                " on conflict (shard) do update set rollups_since = excluded.rollups_since",
                TODAY,
            )
        moved = await look(kept)
        starts.append(kept.since)
        return moved

    monkeypatch.setattr(KeptRange, "moved", drop_before_the_second_look)
    async with reads(database, database_url) as found:
        answer = await ask(found, f"{RANGE}{query}".encode())
    assert starts == [YESTERDAY, TODAY, TODAY]
    assert answer["from"] == f"{TODAY:%Y-%m-%dT%H:%M:%S}.000Z"
    assert number(answer) == expected


async def test_one_day_that_left_while_another_came_back_is_noticed(
    database: Database, admin: asyncpg.Connection
) -> None:
    leave = "insert into retired_days select shard, $1, 0, clock_timestamp() from log_heads"
    await admin.execute(leave, YESTERDAY.date())
    kept = await KeptRange.of(database, Shards(database), YESTERDAY, TODAY + 24 * HOUR, EVENTS)
    assert not await kept.moved()
    await admin.execute("insert into opened_days values ($1, 'open', 'a test', 'me', now())", YESTERDAY.date())
    await admin.execute("delete from retired_days")
    await admin.execute(leave, YESTERDAY.date() - timedelta(days=1))
    assert await kept.moved()
    assert not await kept.moved()


async def test_no_day_leaves_the_log_between_the_plan_of_a_question_and_its_rows(
    database: Database, database_url: str, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[bool] = []

    async def look(*given: Any) -> Plan:
        held.append(await admin.fetchval(HELD))
        return await read_plan(*given)

    monkeypatch.setattr("service.archive.answerer.read_plan", look)
    async with reads(database, database_url) as found:
        await found.trends.page(f"{RANGE}&interval=day&demo_mode=true".encode())
    assert held == [True]
