"""The views of the schema bi: they agree with the service and with a count in Python; and the rights of readers."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import msgspec
import pytest
import pytest_asyncio

from projections.projector import catch_up
from service.ingest.event import Event
from service.reports.proofs import Proofs
from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database
from sql.migrate import VIEWS, SchemaRefused, migrate, rollback
from sql.statements import load
from tests.conftest import RETENTION_DAYS, Servers, execute
from tests.integration.reports import test_query_plans as busy
from tests.support import oracle
from tests.support.log import NOW, an_event
from tests.support.oracle import HOUR
from tests.support.projection import proofs
from tests.support.reads import reads
from tests.support.retired_days import DAY, append_all, day, fill, old_events, past, retire
from tests.support.sharded import Sharded, sharded_log

NAMES = sorted(path.stem for path in VIEWS.glob("*.sql"))
DASHBOARD = Path(__file__).parents[3] / "docs/grafana-dashboard.json"
METRICS = ("events", "sessions", "tool_uses", "users", "visitors")
UNCOMMENTED = """
select c.relname || coalesce('.' || a.attname, '')
from pg_class as c
left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
where c.relnamespace = 'bi'::regnamespace
    and (col_description(c.oid, a.attnum) is null or obj_description(c.oid, 'pg_class') is null)
"""
# Functions that run with their owner's rights, and functions that not every role may execute.
DEFINERS = """
select p.proname::text from pg_proc as p
where p.pronamespace = 'public'::regnamespace and p.prosecdef
order by 1
"""
FOR_SOME = """
select p.proname::text from pg_proc as p
where p.pronamespace = 'public'::regnamespace and not has_function_privilege('public', p.oid, 'execute')
order by 1
"""
# Calls of every writing function; a reader must not succeed with any.
WRITERS = (
    "select from fold_hourly(0, 1, 100)",
    "select from drop_day(current_date, null)",
    "select from retire_rollups(0, 'infinity')",
    "select from rebuild_hourly(0, 1, now())",
    "select from compact_receipts(0)",
    "select from advance_horizon(0, 1, now())",
    "select from make_day(current_date + 100)",
    "select from make_bi_role('mine', 'secret')",
)
REFUSED = (
    asyncpg.InsufficientPrivilegeError,
    asyncpg.WrongObjectTypeError,
    asyncpg.ObjectNotInPrerequisiteStateError,
)
MAY = """
select c.oid::regclass::text
from pg_class as c
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
    and has_table_privilege(c.oid, 'select, insert, update, delete, truncate, references, trigger')
"""


def with_users(events: Iterable[Event]) -> list[Event]:
    """Return events with a user in three of four; each user has several sessions, so they span shards."""
    return [
        event._replace(user_id=None if number % 4 == 0 else f"u{(int(event.session_id[1:]) + number // 7) % 4}")
        for number, event in enumerate(events)
    ]


OLD = with_users(old_events())
# Late events for a day without events, and for days with events: before, between and after the folded ones.
LATE = [
    an_event(1_000 + number, at=moment, session=f"s{number % 9}", tool=[None, "Map"][number % 2])._replace(
        user_id=[None, "u1", "late"][number % 3]
    )
    for number, moment in enumerate(
        day(which) + place
        for which in (2, 4, 3, 9)
        for place in (timedelta(0), 7 * HOUR + timedelta(minutes=10), 8 * HOUR, DAY - timedelta(microseconds=1))
    )
]
EVER = OLD + LATE


@pytest_asyncio.fixture(params=[1, 3], ids=["1 shard", "3 shards"])
async def aged(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a log with its first two days retired and an unfolded tail of late events."""
    async with sharded_log(servers, postgres_version, request.param) as sharded:
        await fill(sharded, OLD)
        assert [retired.events for retired in await retire(sharded.database, 1)] != []
        await append_all(sharded, LATE, clock=past(1))
        yield sharded


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Connect as a member of the role that reads the views."""
    login = f"reader {uuid4().hex}"
    owner = await asyncpg.connect(url)
    try:
        assert await owner.fetchval(load().make_bi_role, login, "secret")
        await migrate(url)
        reader = await asyncpg.connect(url, server_settings={"role": login})
        await reader.execute("set timezone = 'America/St_Johns'")
        try:
            yield reader
        finally:
            await reader.close()
    finally:
        await owner.execute(f'drop role "{login}"')
        await owner.close()


def hours_of(events: Iterable[Event]) -> dict[datetime, dict[str, Any]]:
    """Return the rollups of events in the form of the service's answers."""
    by_hour: dict[datetime, list[Event]] = defaultdict(list)
    for event in events:
        by_hour[oracle.start_of(event.timestamp, HOUR)].append(event)
    kinds = {"event_type": "event_counts", "tool_name": "tool_usage", "risk_mode": "risk_distribution"}
    return {
        hour: {
            **{
                name: dict(Counter(key for event in some for kind, key in oracle.keys(event) if kind == dimension))
                for dimension, name in kinds.items()
            },
            "unique_sessions": len({event.session_id for event in some}),
            "total_events": len(some),
        }
        for hour, some in by_hour.items()
    }


def days_of(events: Iterable[Event]) -> dict[date, dict[str, Any]]:
    """Return the totals of each day of events."""
    by_day: dict[date, list[Event]] = defaultdict(list)
    for event in events:
        by_day[event.timestamp.astimezone(UTC).date()].append(event)
    return {
        each: {
            "events": len(some),
            "sessions": len({event.session_id for event in some}),
            "tool_uses": sum(event.tool_name is not None for event in some),
            "users": len({event.user_id for event in some} - {None}),
            "visitors": len({event.user_id for event in some} - {None})
            + len({event.session_id for event in some} - {event.session_id for event in some if event.user_id}),
            "complete": datetime(each.year, each.month, each.day, tzinfo=UTC) + DAY <= NOW,
        }
        for each, some in by_day.items()
    }


async def rows(reader: asyncpg.Connection[asyncpg.Record], query: str, *arguments: object) -> dict[Any, dict[str, Any]]:
    """Return the rows of a view by their first column, with JSON decoded."""
    found = {}
    for row in await reader.fetch(query, *arguments):
        named = {
            name: json.loads(value) if name in {"event_counts", "tool_usage", "risk_distribution"} else value
            for name, value in row.items()
        }
        key = named.pop(next(iter(named)))
        assert key not in found
        found[key] = named
    return found


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def grouped(events: Iterable[Event], by: str) -> dict[str, list[Event]]:
    """Return the events of each session or user."""
    groups: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if (name := getattr(event, by)) is not None:
            groups[name].append(event)
    return groups


def session_of(events: list[Event]) -> dict[str, Any]:
    moments = [event.timestamp for event in events]
    return {
        "user_ids": sorted({event.user_id for event in events if event.user_id is not None}),
        "first_seen": min(moments),
        "last_seen": max(moments),
        "duration": max(moments) - min(moments),
        "events": len(events),
        "tool_uses": sum(event.tool_name is not None for event in events),
        "event_types": len({event.event_type for event in events}),
    }


def users_of(kept: list[Event], raw: list[Event]) -> dict[str, dict[str, Any]]:
    """Return the rows of bi.users for users with kept rollups; their first visit may be older."""
    ever, in_log = grouped([*EVER, *kept], "user_id"), grouped(raw, "user_id")
    return {
        user: {
            "first_seen": oracle.start_of(min(event.timestamp for event in ever[user]), oracle.QUARTER),
            "last_seen": oracle.start_of(max(event.timestamp for event in some), oracle.QUARTER),
            "days_active": len({event.timestamp.date() for event in some}),
            "sessions": len({event.session_id for event in in_log[user]}),
            "events": len(in_log[user]),
        }
        for user, some in grouped(kept, "user_id").items()
    }


async def check(sharded: Sharded, kept: list[Event], raw: list[Event]) -> None:
    """Assert that each view agrees with the service and with a count of these events."""
    async with reading(sharded.url) as reader, reads(sharded.database, sharded.url) as found:
        hourly = await rows(reader, "select * from bi.hourly_rollups")
        assert {hour: without(row, "updated_at") for hour, row in hourly.items()} == hours_of(kept)
        span = f"from={day(-1):%Y-%m-%d}T00:00:00Z&to={day(11):%Y-%m-%d}T00:00:00Z"
        page = await Rollups(sharded.database, Shards(sharded.database), lambda: NOW).page(span.encode())
        told = json.loads(msgspec.json.encode(page))["rollups"]
        assert {f"{hour:%Y-%m-%dT%H:%M:%S}.000Z": without(row, "updated_at") for hour, row in hourly.items()} == {
            row["hour"]: without(row, "hour") for row in told
        }

        daily = await rows(reader, "select * from bi.daily")
        assert daily == days_of(kept)
        for metric in METRICS:
            page = await found.trends.page(f"metric={metric}&interval=day&{span}".encode())
            told = {bucket["start"][:10]: bucket["value"] for bucket in page["buckets"] if bucket["value"]}
            assert told == {str(each): row[metric] for each, row in daily.items() if row[metric]}

        told = (await Proofs(sharded.database, Shards(sharded.database), lambda: NOW).page(span.encode()))["proofs"]
        assert [
            (proof["hour"], proof["state"], proof["events"], proof["verified_at"] is None, proof["sealed_at"] is None)
            for proof in told
        ] == [
            (
                f"{hour:%Y-%m-%dT%H:%M:%S}.000Z",
                row["state"],
                row["events"],
                *(row[at] is None for at in ("verified_at", "sealed_at")),
            )
            for hour, row in (await rows(reader, "select * from bi.proofs order by hour desc")).items()
        ]

        events = await rows(reader, "select event_id, session_id, user_id, tool_name, timestamp from bi.events")
        assert events == {
            each.event_id: {name: getattr(each, name) for name in ("session_id", "user_id", "tool_name", "timestamp")}
            for each in raw
        }
        sessions = {name: session_of(some) for name, some in grouped(raw, "session_id").items()}
        assert await rows(reader, "table bi.sessions") == sessions
        users = users_of(kept, raw)
        assert await rows(reader, "table bi.users") == users
        assert await rows(reader, "select * from bi.users where user_id = 'u1'") == {"u1": users["u1"]}
        plan = await reader.fetch("explain select user_id, days_active from bi.users")
        assert not any("events" in line for (line,) in plan)
        for user, row in users.items():
            told = await found.timelines.user(user, b"")
            seen = datetime.fromisoformat(told["first_seen"])
            assert (oracle.start_of(seen, oracle.QUARTER), told["days_active"]) == (
                row["first_seen"],
                row["days_active"],
            )
            first = min(event.timestamp for event in [*EVER, *kept] if event.user_id == user)
            assert seen == (first if any(event.timestamp == first for event in raw) else row["first_seen"])


async def test_the_views_say_what_the_service_says(aged: Sharded) -> None:
    events = OLD + LATE
    raw = [event for event in events if event.timestamp >= day(2)]
    await check(aged, events, raw)
    await catch_up(aged.database)
    await check(aged, events, raw)
    # Verify all hours, then touch one of them again.
    assert {proof.state for proof in await proofs(aged.database)} == {"verified", "sealed"}
    again = an_event(2_000, at=day(4) + 7 * HOUR, session="s1")._replace(user_id="again")
    await append_all(aged, [again], clock=past(1))
    events, raw = [*events, again], [*raw, again]
    await check(aged, events, raw)
    # Retention deletes the rollups of the first days.
    await retire(aged.database, 2, rollup_days=8)
    kept = [event for event in events if event.timestamp >= day(2)]
    await check(aged, kept, [event for event in events if event.timestamp >= day(3)])


async def test_when_an_hour_was_verified_is_told(aged: Sharded) -> None:
    async with reading(aged.url) as reader:
        hourly = await rows(reader, "select hour, updated_at from bi.hourly_rollups")
        told = await rows(reader, "select hour, verified_at as updated_at from bi.proofs")
    assert {hour: row for hour, row in told.items() if hour >= day(2)} == {
        hour: row for hour, row in hourly.items() if hour >= day(2)
    }
    assert {row["updated_at"] is None for row in hourly.values()} == {True, False}


async def test_who_may_read_the_views_may_do_nothing_else(aged: Sharded) -> None:
    async with reading(aged.url) as reader:
        assert await reader.fetch(MAY) == []
        granted = await aged.admin.fetchval("select count(*) from pg_class where relnamespace = 'bi'::regnamespace")
        assert granted == len(NAMES)
        refused = [
            "select from public.events",
            "insert into bi.events (event_id) values ('x')",
            "delete from bi.users",
            *(f"truncate bi.{view}" for view in NAMES),
            *WRITERS,
            "create table bi.mine (a integer)",
            "create table public.mine (a integer)",
        ]
        for statement in refused:
            with pytest.raises(REFUSED):
                await reader.execute(statement)
        event = [list(column) for column in zip(an_event(9_999), strict=True)]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(aged.database.statements.append_events, 0, RETENTION_DAYS, None, *event)
        # The functions do not mistake a session's temporary table for the log, because their search path puts it last.
        await reader.execute(
            "create temporary table log_heads as select 7 as shard, 'infinity'::timestamptz as horizon"
        )
        assert await reader.fetchval("select count(*) from bi.hourly_rollups") == len(hours_of(OLD + LATE))


async def test_only_two_functions_have_the_rights_of_their_owner(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    for query in (DEFINERS, FOR_SOME):
        assert [name for (name,) in await admin.fetch(query)] == ["bi_proofs", "bi_tail"]
    assert await admin.fetch(UNCOMMENTED) == []
    await admin.close()


async def test_a_login_has_limits_and_a_new_password_and_takes_no_other_role(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    login = f"reader {uuid4().hex}"
    for password in ("first", "second"):
        assert await admin.fetchval(load().make_bi_role, login, password)
    ((settings,),) = await admin.fetch(
        "select setconfig from pg_db_role_setting where setrole = (select oid from pg_roles where rolname = $1)", login
    )
    assert {"statement_timeout=60s", "default_transaction_read_only=on"} < set(settings)
    assert not await admin.fetchval(load().make_bi_role, "hourledger", "taken")
    assert not await admin.fetchval(load().make_bi_role, "hourledger_bi", "taken")
    await admin.execute(f'drop role "{login}"')
    await admin.close()


async def test_a_view_of_a_users_own_is_never_lost(database_url: str) -> None:
    admin = await asyncpg.connect(database_url)
    made = await admin.fetch("select oid from pg_class where relnamespace = 'bi'::regnamespace order by 1")
    await admin.execute("create view mine as select day from bi.daily")
    # A migrate that finds the right views makes none anew, so it does not wait for this reader.
    async with admin.transaction():
        await admin.fetch("select * from mine")
        assert await migrate(database_url) == []
    assert await admin.fetch("select oid from pg_class where relnamespace = 'bi'::regnamespace order by 1") == made
    for attempt in (rollback(database_url), rollback(database_url, force=True)):
        with pytest.raises(SchemaRefused, match=r"\(view mine depends on view bi\.daily\): drop those"):
            await attempt
    await admin.execute("comment on schema bi is 'sha256:of another release'")
    with pytest.raises(SchemaRefused, match="mine"):
        await migrate(database_url)
    assert await admin.fetch("select * from mine") == []
    await admin.execute("drop view mine")
    while await rollback(database_url, force=True):
        assert await admin.fetch("select from pg_views where schemaname = 'bi'") == []
    await migrate(database_url)
    assert [
        name for (name,) in await admin.fetch("select viewname::text from pg_views where schemaname = 'bi' order by 1")
    ] == NAMES
    await admin.close()


async def test_views_of_another_release_are_made_anew(database_url: str) -> None:
    await execute(
        database_url,
        "drop view bi.daily",
        "create view bi.daily as select 1 as fewer",
        "comment on schema bi is 'sha256:0'",
    )
    await migrate(database_url)
    admin = await asyncpg.connect(database_url)
    assert await admin.fetch("select visitors from bi.daily") == []
    await admin.close()


async def test_views_on_functions_of_another_release_are_no_hindrance(database_url: str) -> None:
    await rollback(database_url)
    await execute(
        database_url,
        "drop schema bi",
        "create schema bi",
        "create function bi_tail(version integer) returns integer language sql as 'select version'",
        "create view bi.daily as select bi_tail(1) as tail",
    )
    await migrate(database_url)
    admin = await asyncpg.connect(database_url)
    assert [name for (name,) in await admin.fetch(DEFINERS)] == ["bi_proofs", "bi_tail"]
    assert await admin.fetchval("select count(*) from pg_proc where proname = 'bi_tail'") == 1
    assert await admin.fetch("select visitors from bi.daily") == []
    await admin.close()


async def test_an_owner_of_nothing_but_the_schema_public_does_without_the_views(empty_database_url: str) -> None:
    owner = f"owner_{uuid4().hex}"
    await execute(empty_database_url, f"create role {owner} login", f"grant usage, create on schema public to {owner}")
    separator = "&" if "?" in empty_database_url else "?"
    url = f"{empty_database_url}{separator}role={owner}"
    await migrate(url)
    admin = await asyncpg.connect(empty_database_url)
    assert await admin.fetchval("select to_regnamespace('bi')") is None
    await admin.execute(f"create schema bi authorization {owner}")
    await migrate(url)
    assert await admin.fetch("select * from bi.daily") == []
    await admin.execute(f"set role {owner}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.fetchval(load().make_bi_role, "somebody", "secret")
    await admin.execute("reset role")
    await admin.execute(f"drop owned by {owner} cascade; drop role {owner}")
    await admin.close()


# Grafana's macros and the SQL that replaces them: https://grafana.com/docs/grafana/latest/datasources/postgres/
MACROS = (
    (r"\$__timeFilter\(([\w.]+)\)", r"\1 between '{since}' and '{until}'"),
    (r"\$__timeFrom\(\)", "'{since}'"),
    (r"\$__timeTo\(\)", "'{until}'"),
)


async def test_each_panel_of_the_grafana_dashboard_shows_what_it_says(aged: Sharded) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = {}
    # Times in Grafana's format; `until` is the start of an hour, which Grafana's filter includes.
    times = {"since": f"{day(2):%Y-%m-%dT%H:%M:%SZ}", "until": f"{day(9) + 23 * HOUR:%Y-%m-%dT%H:%M:%SZ}"}
    async with reading(aged.url) as reader:
        for panel in panels:
            (target,) = panel["targets"]
            query = target["rawSql"]
            for macro, text in MACROS:
                query = re.sub(macro, text.format(**times), query)
            assert "$" not in query
            found[panel["title"]] = [tuple(row) for row in await reader.fetch(query)]
            columns = set(found and (await reader.fetch(query))[0].keys())
            assert (target["format"] == "time_series") == ("time" in columns)
    seen = [event for event in OLD + LATE if day(2) <= event.timestamp < day(10)]
    hourly, daily = sorted(hours_of(seen).items()), sorted(days_of(seen).items())
    tools = Counter(event.tool_name for event in seen if event.tool_name is not None)
    assert found["Events by hour"] == [(hour, row["total_events"]) for hour, row in hourly]
    assert found["Sessions by hour"] == [(hour, row["unique_sessions"]) for hour, row in hourly]
    assert [row[1:] for row in found["Users and visitors per day"]] == [
        (row["users"], row["visitors"]) for _, row in daily
    ]
    assert found["Top tools"] == sorted(tools.items(), key=lambda tool: (-tool[1], tool[0]))
    assert found["Risk modes"] == [
        (hour, mode, events) for hour, row in hourly for mode, events in sorted(row["risk_distribution"].items())
    ]
    assert sum(events for _, _, events in found["Proofs"]) == len(seen)


# Prefixes of the large tables whose scans are counted.
SCANNED = ("hourly_counts", "hourly_edges", "hourly_members", "events_")
PRUNED = (
    "select sum(total_events), sum(unique_sessions), max(updated_at) from bi.hourly_rollups where hour >= {since}",
    "select * from bi.hourly_rollups where hour = {since}",
    "select * from bi.daily where day >= ({since})::date",
    "select events from bi.daily where day = ({since})::date",
    "select count(*) from bi.events where timestamp >= {since}",
)


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows of large tables the scans of a plan read."""
    found = sum(rows_read(part) for part in plan.get("Plans", []))
    if plan.get("Relation Name", "").startswith(SCANNED):
        removed = sum(plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck"))
        found += round((plan["Actual Rows"] + removed) * plan["Actual Loops"])
    return found


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_a_condition_on_the_time_leaves_the_rest_unread(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    await busy.fill(database, admin, analyzed=analyzed)
    await catch_up(database)
    # The planner would read such small tables whole; the test asks what an index can skip. Three days have events.
    await admin.execute("set enable_seqscan = off")
    since = f"timestamptz '{busy.FIRST + 2 * DAY}'"
    for query in PRUNED:
        some, everything = [
            rows_read(json.loads(await admin.fetchval(f"explain (analyze, format json) {asked}"))[0]["Plan"])
            for asked in (query.format(since=since), query.partition(" where")[0])
        ]
        assert 0 < some < everything * 0.4, query
