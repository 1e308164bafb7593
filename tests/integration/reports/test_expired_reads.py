"""Lists and rollups of a time that is not kept any more say so: they are cut, or expired, and never a silent zero."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import msgspec
import pytest
import pytest_asyncio

from service.reports.rollups import Rollups
from service.reports.shards import Shards
from sql.database import Database
from tests.conftest import RETENTION_DAYS, Servers
from tests.support.beginnings import filled
from tests.support.log import NOW
from tests.support.oracle import HOUR
from tests.support.reads import reads, refused
from tests.support.retired_days import DAYS, EVENTS, day, of_day, retire
from tests.support.sharded import Sharded, sharded_log

HOURS = 2_000
LEFT = of_day(9, EVENTS)


@pytest_asyncio.fixture(params=[1, 8], ids=["1 shard", "8 shards"])
async def log(servers: Servers, postgres_version: int, request: pytest.FixtureRequest) -> AsyncIterator[Sharded]:
    """Give a folded log of old days."""
    async with sharded_log(servers, postgres_version, request.param, filled(request.param)) as sharded:
        yield sharded


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000Z"


def of_range(since: datetime, until: datetime, more: str = "") -> bytes:
    return f"from={since:%Y-%m-%dT%H:%MZ}&to={until:%Y-%m-%dT%H:%MZ}{more}".encode()


def rollups_of(database: Database) -> Rollups:
    return Rollups(database, Shards(database), lambda: NOW)


@pytest.mark.parametrize("grace_days", [0, 2], ids=["dropped", "detached"])
async def test_the_list_of_events_counts_those_that_are_kept_and_says_since_when(log: Sharded, grace_days: int) -> None:
    async with reads(log.database, log.url) as asked:
        whole = await asked.event_list.page(f"hours={HOURS}".encode())
        assert (whole["count"], whole["total_in_range"]) == (len(EVENTS), len(EVENTS))
        assert "from" not in await asked.event_list.page(of_range(day(0), day(10)))

        await retire(log.database, 3, grace_days=grace_days)
        left = await asked.event_list.page(f"hours={HOURS}".encode())
        assert (left["from"], left["count"], left["total_in_range"]) == (text(day(4)), len(LEFT), len(LEFT))
        page = await asked.event_list.page(f"hours={HOURS}&limit=10".encode())
        rest = await asked.event_list.page(f"cursor={page['next_cursor']}".encode())
        assert [(each["from"], each["total_in_range"]) for each in (page, rest)] == [(text(day(4)), len(LEFT))] * 2
        assert page["count"] + rest["count"] == len(LEFT)
        viewed = await asked.event_list.page(f"hours={HOURS}&event_type=page_viewed".encode())
        assert (viewed["from"], viewed["count"]) == (text(day(4)), viewed["total_in_range"])

        for since, until in ((day(0), day(1)), (day(3), day(4))):
            gone = await refused(asked.event_list.page(of_range(since, until)))
            assert (gone.code, gone.field) == ("expired", "to")
            assert str(gone) == f"events before {text(day(4))} are not kept any more"
        inside = await asked.event_list.page(of_range(day(4), day(9)))
        assert (inside["count"], inside["total_in_range"], "from" in inside) == (0, 0, False)


async def test_rollups_of_hours_that_are_not_kept_are_cut_or_expired_and_their_seals_answer(log: Sharded) -> None:
    rollups = rollups_of(log.database)
    before = [(await rollups.one(f"{day(number):%Y-%m-%dT%HZ}"))["rollup"] for number in DAYS[:4]]
    # Rollups are kept from day 2 on.
    await retire(log.database, 3, grace_days=0, rollup_days=RETENTION_DAYS + 2)
    for query in (f"hours={HOURS}".encode(), of_range(day(0), day(10)), of_range(day(1) + HOUR, day(10), "&fill=1")):
        answer = await rollups.page(query)
        assert answer["from"] == text(day(2))
        assert answer["total_events"] == len([event for event in EVENTS if event.timestamp >= day(2)])
        assert answer["total_events"] == sum(_numbers(rollup)["total_events"] for rollup in answer["rollups"])
        assert min(_numbers(rollup)["hour"] for rollup in answer["rollups"]) == text(day(2))
    assert "from" not in await rollups.page(of_range(day(2), day(10)))
    gone = await refused(rollups.page(of_range(day(0), day(2))))
    assert (gone.code, gone.field) == ("expired", "to")
    assert str(gone).startswith(f"rollups before {text(day(2))} are not kept any more;")
    for number, rollup in zip(DAYS[:4], before, strict=True):
        found = await rollups.one(f"{day(number):%Y-%m-%dT%HZ}")
        assert (_numbers(found["rollup"]), found["proof"]["state"]) == (_numbers(rollup), "sealed")


def _numbers(rollup: Any) -> dict[str, Any]:
    numbers: dict[str, Any] = msgspec.json.decode(rollup) if isinstance(rollup, msgspec.Raw) else rollup
    return numbers


async def test_a_shard_that_keeps_less_cuts_the_answer_of_all(log: Sharded) -> None:
    """Retention deletes the rollups of one shard after the other."""
    await retire(log.database, 3, grace_days=0)
    await log.database.only(log.database.statements.retire_rollups, 0, day(2))
    answer = await rollups_of(log.database).page(of_range(day(0), day(10)))
    assert answer["from"] == text(day(2))
    assert answer["total_events"] == len([event for event in EVENTS if event.timestamp >= day(2)])
    assert answer["distinct_sessions"] == len({event.session_id for event in EVENTS if event.timestamp >= day(2)})
