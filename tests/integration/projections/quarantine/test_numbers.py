"""With a quarantine all numbers are those of a log without its events; once it is lifted they are as before."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from projections.archive.kept_hours import KeptHours
from projections.projector import catch_up
from projections.rebuild import REBUILT
from service.access.site_changes import add_site
from tests.integration.projections.kept.test_versions import rebuild_all
from tests.support.kept_hours import rebuilt_days
from tests.support.log import an_event, append
from tests.support.quarantines import UNTIL, answers_of, check, counted, definition, is_flood, lift, put
from tests.support.reads import reads
from tests.support.retired_days import DAY, EVENTS, append_all, day, of_day
from tests.support.sharded import Sharded

LOGGED = """
select md5(string_agg(e::text, ',' order by e.shard, e.position)) from events as e
union all
select md5(string_agg(l::text, ',' order by l.shard, l.hour)) from hour_ledger as l
union all
select md5(string_agg(r::text, ',' order by r.shard, r.last_position, r.hour)) from receipts as r
union all
select md5(string_agg(h::text, ',' order by h.shard, h.hour)) from archive_hours as h
"""
AMENDED = "select kind, reason, asked_by, day from amendments order by shard, sequence"
LIFTED = "select lifted_at is not null from quarantines"


async def test_numbers_are_those_of_a_log_without_the_events(
    old: Sharded, twin: Sharded, kept: KeptHours, archive: Path, tmp_path: Path
) -> None:
    before, logged = await answers_of(old, archive), await old.admin.fetch(LOGGED)
    days = await put(old, kept)
    assert [changed for changed in days if changed.hindrance] == []
    assert len(days) == 4 * old.shards
    assert sum(changed.events for changed in days) == len(EVENTS) - len(counted(EVENTS)) > 0
    await check(old, kept, EVENTS, counted(EVENTS))
    assert await answers_of(old, archive) == await answers_of(twin, tmp_path / "twin")
    assert {(each.outcome, each.rows_written) for each in await rebuilt_days(old, kept)} == {(REBUILT, 0)}
    assert await put(old, kept) == []

    assert sum(changed.events for changed in await lift(old, kept)) == len(EVENTS) - len(counted(EVENTS))
    await check(old, kept, EVENTS, EVENTS)
    assert await answers_of(old, archive) == before
    assert await old.admin.fetch(LOGGED) == logged
    assert await old.admin.fetchval(LIFTED)
    told = {tuple(row) for row in await old.admin.fetch(AMENDED)}
    assert told == {
        ("quarantine", f"quarantine 1{what}: a flood", "me", day(number).date())
        for number in (0, 1)
        for what in ("", " lifted")
    }


async def test_rebuilding_everything_leaves_them_out(old: Sharded, kept: KeptHours) -> None:
    await put(old, kept)
    await rebuild_all(old, kept)
    await old.admin.execute("delete from hourly_counts where version = 1")
    await old.admin.execute("delete from hourly_members where version = 1")
    await old.admin.execute("delete from hourly_edges where version = 1")
    await old.admin.execute("delete from checkpoints where version = 1")
    await check(old, kept, EVENTS, counted(EVENTS))
    await lift(old, kept)
    await check(old, kept, EVENTS, EVENTS)


@pytest.mark.versions("newest")
async def test_events_that_come_later_are_left_out(old: Sharded, kept: KeptHours, archive: Path) -> None:
    """Folded or not; and those outside of the range, or that do not match, are not."""
    last = day(9) + DAY
    await put(old, kept, await definition(old.url, until=last))
    late = [
        an_event(9_000 + place, at=at, session=f"s{place}", tool=tool)
        for place, (at, tool) in enumerate(
            (at, tool) for at in (day(9) + DAY / 2, day(10)) for tool in ("Home", "Search") for _ in range(4)
        )
    ]
    await append_all(old, late, clock=day(11))
    stored = [*EVENTS, *late]
    counting = counted(stored, until=last)
    assert len(stored) - len(counting) == len([e for e in EVENTS if is_flood(e, until=last)]) + 4
    question = f"from={day(9):%Y-%m-%dT00:00Z}&to={day(11):%Y-%m-%dT00:00Z}&interval=day"
    async with reads(old.database, old.url, archive=archive) as found:
        asked = [question, f"{question}&demo_mode=true"]
        unfolded = [
            [bucket["value"] for bucket in (await found.trends.page(each.encode()))["buckets"]] for each in asked
        ]
        await catch_up(old.database)
        told = [[bucket["value"] for bucket in (await found.trends.page(each.encode()))["buckets"]] for each in asked]
    of_days = [
        len([event for event in counting if start <= event.timestamp < start + DAY]) for start in (day(9), day(10))
    ]
    assert unfolded == told == [of_days, of_days]
    await check(old, kept, stored, counting)
    await lift(old, kept)
    await check(old, kept, stored, stored)


@pytest.mark.versions("newest")
async def test_another_site_keeps_its_numbers(log: Sharded, kept: KeptHours) -> None:
    await add_site(log.database, "blog")
    theirs = [event for event in of_day(9, EVENTS) if event.tool_name == "Home"]
    assert await append(log.database, theirs, shard=1, clock=day(10)) == {}
    await catch_up(log.database)
    both = Sharded(log.url, 1, log.database, log.admin)
    asked = await definition(log.url, until=day(10), site="blog")
    assert asked.shards == [1]
    await put(log, kept, asked)
    await check(both, kept, [*EVENTS, *theirs], EVENTS)
    assert await log.admin.fetchval("select count(*) from hourly_counts where shard = 1 and key = 'page_viewed'") == 0
    await lift(log, kept)
    await put(log, kept, await definition(log.url, until=day(10)))
    await check(both, kept, [*EVENTS, *theirs], counted(EVENTS, until=day(10)))
    hours = await log.admin.fetchval("select count(*) from hourly_counts where shard = 1 and key = 'page_viewed'")
    assert hours == len({event.timestamp.replace(minute=0) for event in theirs if event.event_type == "page_viewed"})


@pytest.mark.versions("newest")
async def test_lists_and_their_totals_have_the_log_as_it_is(log: Sharded, kept: KeptHours, archive: Path) -> None:
    await put(log, kept)
    in_range = [event for event in EVENTS if day(0) <= event.timestamp < day(3)]
    question = f"from={day(0):%Y-%m-%dT00:00Z}&to={day(3):%Y-%m-%dT00:00Z}"
    async with reads(log.database, log.url, archive=archive) as found:
        page = await found.event_list.page(question.encode())
        assert (page["count"], page["total_in_range"]) == (len(in_range), len(in_range))
        assert all(event.get("quarantined", False) is at_all for event, at_all in _marks(page["events"]))
        of_session = await found.timelines.session("s1", question.encode())
        assert all(event.get("quarantined", False) is at_all for event, at_all in _marks(of_session["events"]))
        page = await found.event_list.page(f"{question}&tool_name=Home".encode())
        assert page["total_in_range"] == len([event for event in in_range if event.tool_name == "Home"])


def _marks(events: list[dict[str, Any]]) -> list[tuple[dict[str, Any], bool]]:
    """Return listed events, each with whether it should be marked."""
    left_out = {event.event_id for event in EVENTS if is_flood(event)}
    assert 0 < len([event for event in events if event["event_id"] in left_out]) < len(events)
    return [(event, event["event_id"] in left_out) for event in events]


async def test_two_quarantines_at_once(log: Sharded, kept: KeptHours) -> None:
    """An event that both leave out comes back when the last of them is lifted."""
    await put(log, kept)
    await put(log, kept, await definition(log.url, "session_id = s1", day(1), day(10)))

    def of_second(event_session: str, at: object) -> bool:
        return event_session == "s1" and day(1) <= at < day(10)  # type: ignore[operator]

    without = [event for event in EVENTS if not of_second(event.session_id, event.timestamp)]
    await check(log, kept, EVENTS, counted(without))
    await lift(log, kept, 1)
    await check(log, kept, EVENTS, without)
    await lift(log, kept, 2)
    await check(log, kept, EVENTS, EVENTS)
    assert day(10) > UNTIL
