"""What rules find equals a plain count of the events, and what health says."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from statistics import median

import asyncpg
import pytest

from service.access.site_changes import add_site
from service.alerts.conditions import Bound, condition_of
from service.ingest.event import Event
from service.questions.hours import quarter_start
from sql.database import Database
from tests.support.alerts import HOUR, Watcher
from tests.support.log import NOW, an_event, append
from tests.support.oracle import QUARTER

WEEK = timedelta(weeks=1)
END = quarter_start(NOW)
CONDITIONS = [
    f"{metric} {side} {bound} in {length}"
    for metric in ("events", "events of bought", "sessions", "users", "visitors")
    for side, bound in (("above", "2"), ("below", "3"), ("above", "80% of usual"), ("below", "120% of usual"))
    for length in ("15 minutes", "1 hour", "1 day")
]


def some_events(seed: int) -> list[Event]:
    """Return events of the same two hours of five weeks, some of them of quarters that are not over."""
    chance = random.Random(seed)
    return [
        an_event(
            number,
            at=END - chance.randrange(5) * WEEK - chance.randrange(-2, 8) * QUARTER + timedelta(minutes=1),
            session=chance.choice("abcde"),
            user=chance.choice([None, "x", "y"]),
            kind=chance.choice(["bought", "page_viewed"]),
        )
        for number in range(60)
    ]


def counted(events: list[Event], condition: Bound, until: datetime) -> int:
    """Return what a condition counts, in plain Python."""
    found = [event for event in events if until - condition.length <= event.timestamp < until]
    if condition.event_type is not None:
        found = [event for event in found if event.event_type == condition.event_type]
    sessions = {event.session_id for event in found}
    known = {event.session_id for event in found if event.user_id}
    users = {event.user_id for event in found if event.user_id}
    return {
        "events": len(found),
        "sessions": len(sessions),
        "users": len(users),
        "visitors": len(users) + len(sessions - known),
    }[condition.metric]


def expected(events: list[Event], condition: Bound) -> bool | None:
    """Return whether a rule fires, None when it cannot know."""
    began = quarter_start(min(event.timestamp for event in events))
    if not condition.above and END - condition.length < began:
        return None
    bound = condition.bound
    if condition.of_usual:
        ends = [END - week * WEEK for week in range(1, 5)]
        known = [counted(events, condition, end) for end in ends if end - condition.length >= began]
        if len(known) < 2:
            return None
        bound *= median(known) / 100
    value = counted(events, condition, END)
    return value > bound if condition.above else value < bound


@pytest.mark.parametrize("seed", [1, 2])
async def test_a_bound_is_compared_with_a_plain_count(watcher: Watcher, seed: int) -> None:
    events = some_events(seed)
    for event in events:
        await append(watcher.service.log, [event], clock=event.timestamp + HOUR)
    found = {}
    for text in CONDITIONS:
        condition = condition_of(text)
        assert isinstance(condition, Bound)
        finding = await watcher.checks.look(condition, watcher.site, NOW, NOW)
        assert (finding.firing if finding else None) == expected(events, condition), text
        found[text] = finding
    firing = [finding.firing for finding in found.values() if finding]
    assert {True, False} == set(firing)


async def test_a_site_that_never_had_events_has_no_too_few(watcher: Watcher) -> None:
    below = condition_of("events below 5 in 1 hour")
    assert await watcher.checks.look(below, watcher.site, NOW, NOW) is None
    usual = condition_of("events below 50% of usual in 1 hour")
    await append(watcher.service.log, [an_event(at=NOW - 2 * HOUR)])
    found = await watcher.checks.look(below, watcher.site, NOW, NOW)
    assert found is not None
    assert found.firing
    assert found.text == f"0 events in the 1 hour to {END:%Y-%m-%d %H:%M} UTC; the bound is 5"
    assert await watcher.checks.look(usual, watcher.site, NOW, NOW) is None


async def test_each_site_has_rules_of_its_own(watcher: Watcher) -> None:
    blog = await add_site(watcher.service.log, "blog")
    await append(watcher.service.log, [an_event(at=NOW - HOUR)], shard=blog.shards[0])
    condition, silence = condition_of("events above 0 in 1 day"), condition_of("no events for 5 minutes")
    for site, events in ((watcher.site, 0), (blog, 1)):
        found = await watcher.checks.look(condition, site, NOW - HOUR, NOW)
        quiet = await watcher.checks.look(silence, site, NOW - HOUR, NOW)
        assert (found is not None and found.firing, quiet is not None and quiet.firing) == (events > 0, events == 0)


async def test_a_failed_proof_of_the_site_fires(
    watcher: Watcher, database: Database, admin: asyncpg.Connection
) -> None:
    blog = await add_site(database, "blog")
    condition = condition_of("failed proof")
    found = await watcher.checks.look(condition, watcher.site, NOW, NOW)
    assert found is not None
    assert not found.firing
    hour = END.replace(minute=0) - HOUR
    await admin.execute(
        "insert into hour_proofs (shard, projection, version, hour, state, events, digest_high, digest_low,"
        " verified_at) values (0, 'hourly', 1, $1, 'drifted', 1, 0, 0, clock_timestamp())",
        hour,
    )
    found = await watcher.checks.look(condition, watcher.site, NOW, NOW)
    assert found is not None
    assert found.firing
    assert found.text == f"the proof of 1 hour failed; the newest is {hour:%Y-%m-%d %H:%M} UTC: drifted"
    of_blog = await watcher.checks.look(condition, blog, NOW, NOW)
    assert of_blog is not None
    assert not of_blog.firing
    degraded = await watcher.checks.look(condition_of("degraded"), watcher.site, NOW, NOW)
    assert degraded is not None
    assert "drifted: 1 hour; make verify names them" in degraded.text


async def test_the_disk_and_the_clock_are_those_that_health_tells(watcher: Watcher, admin: asyncpg.Connection) -> None:
    for text, well in (("low disk", "the disk has room"), ("wrong clock", "the clocks are right")):
        found = await watcher.checks.look(condition_of(text), watcher.site, NOW, NOW)
        assert found is not None
        assert (found.firing, found.text) == (False, well)
    watcher.service.appender.admission.disk_full = True
    await admin.execute(
        "update log_clock set known_at = $1, read_at = $2, service_at = $2", NOW - timedelta(days=3), NOW
    )
    for text, told in (("low disk", "the disk of the database is full"), ("wrong clock", "the clock is 3 days ahead")):
        found = await watcher.checks.look(condition_of(text), watcher.site, NOW, NOW)
        assert found is not None
        assert found.firing
        assert found.text.startswith(told)
