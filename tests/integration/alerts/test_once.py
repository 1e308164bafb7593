"""Each change of a rule is told once, whatever fails meanwhile, and by however many workers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import structlog

from service.access.site_changes import add_site, retire_site
from service.alerts import watch
from service.alerts.checks import Finding
from service.alerts.conditions import Condition, State
from service.alerts.deliveries import MOST_ATTEMPTS
from service.alerts.rules import list_rules, remove_rule
from sql.database import Database, Row
from sql.errors import Unreadable
from tests.support.alerts import TURN, Clock, Watcher, watching
from tests.support.log import NOW, an_event, append
from tests.support.targets import HERE, Hook, Mailbox
from tests.support.waiting import PATIENCE, until

MAIL = "mailto:ops@example.com"
QUIET = "[hourledger] default: no events for 30 minutes"
AGAIN = "[hourledger] default: recovered: no events for 30 minutes"
SENT = "select count(*) from alert_deliveries where sent_at is not null"


async def test_an_alert_and_its_recovery_are_told_once(watcher: Watcher, mails: Mailbox, posts: Hook) -> None:
    await watcher.add("quiet", "no events for 30 minutes", MAIL, posts.url)
    for _ in range(3):
        await watcher.look()
    assert mails.subjects() == [QUIET]
    assert "no event ever came" in mails.mails[0].get_content()

    await append(watcher.service.log, [an_event()])
    for _ in range(3):
        await watcher.look()
    assert mails.subjects() == [QUIET, AGAIN]
    assert f"to {watcher.clock.now - timedelta(minutes=1):%Y-%m-%d %H:%M} UTC" in mails.mails[1].get_content()
    assert len(posts.posts) == 2
    assert watcher.outcomes == ["sent"] * 4

    # The database's clock says when an event came.
    watcher.clock.now = datetime.now(UTC) + timedelta(minutes=31)
    await watcher.look()
    assert mails.subjects() == [QUIET, AGAIN, QUIET]


async def test_workers_together_and_one_after_the_other_tell_it_once(
    database_url: str, tmp_path: Path, mails: Mailbox, admin: asyncpg.Connection
) -> None:
    clock = Clock()
    async with (
        watching(database_url, tmp_path, clock, mails.url) as one,
        watching(database_url, tmp_path, clock, mails.url) as other,
    ):
        for number in range(6):
            await one.add(f"quiet-{number}", "no events for 30 minutes", MAIL)
        for worker in (one, other):
            await worker.service.sites.look()
        workers = (one, other, one, other)
        await asyncio.gather(*(worker.watch.look() for worker in workers))
        await asyncio.gather(*(worker.watch.send() for worker in workers))
        assert sorted(mails.subjects()) == [QUIET] * 6
        assert len(one.outcomes + other.outcomes) == 6
    async with watching(database_url, tmp_path, clock, mails.url) as restarted:
        for _ in range(2):
            await restarted.look()
    assert len(mails.mails) == 6
    assert await admin.fetchval(SENT) == 6


async def test_what_another_worker_is_taking_is_left_to_it(watcher: Watcher, database: Database, posts: Hook) -> None:
    posts.statuses = [500]
    await watcher.add("quiet", "no events for 30 minutes", posts.url)
    await watcher.look()
    now = watcher.clock.now + timedelta(minutes=2)
    for statement, given in (
        (database.statements.claim_alert_rules, (now, TURN)),
        (database.statements.claim_alert_deliveries, (now, 4)),
    ):
        async with database.transaction() as taking:
            assert len(await taking.rows(statement, *given)) == 1
            assert await watcher.service.log.rows(statement, *given) == []
        assert await watcher.service.log.rows(statement, *given) == [], "the pause has begun"


async def test_a_worker_that_was_overtaken_changes_nothing(watcher: Watcher, database: Database) -> None:
    await watcher.add("quiet", "no events for 30 minutes", MAIL)
    (row,) = await database.rows(database.statements.claim_alert_rules, watcher.clock.now, timedelta(seconds=25))
    await watcher.look()
    late = await database.only(
        database.statements.record_alert,
        row["rule"],
        row["looked_at"],
        False,
        "all is well",
        "{}",
    )
    assert late["deliveries"] == 0
    (rule,) = await list_rules(database)
    assert rule["firing"]


async def test_a_worker_that_died_before_it_recorded_sends_the_same_message_again(
    watcher: Watcher, mails: Mailbox, admin: asyncpg.Connection
) -> None:
    """Nothing can know whether the target took it. Its identity tells the receiver."""
    await watcher.add("quiet", "no events for 30 minutes", MAIL)
    await watcher.look()
    await admin.execute("update alert_deliveries set sent_at = null")
    await watcher.look()
    assert len(mails.mails) == 1  # not before the pause is over
    watcher.clock.now += timedelta(minutes=1)
    await watcher.look()
    first, again = mails.mails
    assert first["Message-ID"] == again["Message-ID"]


async def test_a_message_that_fails_is_tried_again_after_growing_pauses_and_given_up(
    watcher: Watcher, posts: Hook, admin: asyncpg.Connection
) -> None:
    posts.statuses = [500, 302] + [404] * (MOST_ATTEMPTS - 2)
    await watcher.add("quiet", "no events for 30 minutes", posts.url)
    pauses = []
    with structlog.testing.capture_logs() as told:
        await watcher.look()
        while watcher.outcomes[-1] != "gave_up":
            tried, due = watcher.clock.now, await admin.fetchval("select next_at from alert_deliveries")
            pauses.append((due - tried) / timedelta(minutes=1))
            posted = len(posts.posts)
            watcher.clock.now = due - TURN - timedelta(seconds=1)
            await watcher.look()
            assert len(posts.posts) == posted
            await watcher.look()
            assert len(posts.posts) == posted + 1
            watcher.clock.now = due
    assert watcher.outcomes == ["failed"] * (MOST_ATTEMPTS - 1) + ["gave_up"]
    assert [round(pause) for pause in pauses] == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60, 60]
    assert all(post.head.startswith("POST /hook/") for post in posts.posts)  # no redirect was followed
    assert await admin.fetchval("select why from alert_deliveries") == "the webhook answered 404, not 2xx"
    assert [line["event"] for line in told if line["log_level"] == "error"] == [
        "an alert could not be sent and is given up"
    ]
    assert "secret-path" not in str(told)

    # The recovery goes out all the same.
    await append(watcher.service.log, [an_event()])
    watcher.clock.now = NOW
    await watcher.look()
    assert watcher.outcomes[-1:] == ["sent"]
    assert b'"kind":"recovery"' in posts.posts[-1].body


async def test_a_recovery_waits_for_the_alert_that_is_not_told_yet(
    watcher: Watcher, posts: Hook, mails: Mailbox
) -> None:
    posts.statuses = [503]
    await watcher.add("quiet", "no events for 30 minutes", posts.url, MAIL)
    await watcher.look()
    await append(watcher.service.log, [an_event()])
    await watcher.look()
    assert mails.subjects() == [QUIET, AGAIN]  # one target does not wait for another
    assert len(posts.posts) == 1
    watcher.clock.now += timedelta(minutes=1)
    await watcher.look()
    kinds = [post.body.partition(b'"kind":"')[2].partition(b'"')[0] for post in posts.posts]
    assert kinds == [b"alert", b"alert", b"recovery"]


async def test_targets_that_never_answer_keep_no_rule_from_being_looked_at(
    watcher: Watcher, admin: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.01)
    held: list[asyncio.StreamReader] = []
    left = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        held.append(reader)
        with suppress(OSError):
            await reader.read()
        left.set()
        writer.close()

    server = await asyncio.start_server(hold, HERE, 0)
    target = f"http://{HERE}:{server.sockets[0].getsockname()[1]}/"
    await watcher.add("quiet", "no events for 30 minutes", target)
    await watcher.service.sites.look()
    following = asyncio.create_task(watcher.watch.follow())
    await until(lambda: held, "the message is being sent")
    watcher.clock.now += TURN
    looked_at = "select looked_at from alert_rules"
    await until(lambda: admin.fetchval(looked_at), "a look", holds=lambda at: at == watcher.clock.now)
    assert not left.is_set()
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    async with asyncio.timeout(PATIENCE):
        await left.wait()  # the sending ends with the worker
    server.close()
    await server.wait_closed()


async def test_without_a_rule_nothing_is_asked(watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> None:
    await watcher.look()
    asked: list[str] = []
    rows = watcher.service.log.rows

    async def noted(query: str, *args: object) -> list[Row]:
        asked.append(query)
        return await rows(query, *args)

    monkeypatch.setattr(watcher.service.log, "rows", noted)
    for _ in range(3):
        await watcher.look()
    assert asked == []
    await watcher.add("quiet", "no events for 30 minutes", MAIL)
    await watcher.look()
    assert asked


async def test_a_rule_that_is_removed_sends_nothing_more(watcher: Watcher, posts: Hook) -> None:
    posts.statuses = [500]
    await watcher.add("quiet", "no events for 30 minutes", posts.url)
    await watcher.look()
    await remove_rule(watcher.service.log, "quiet")
    watcher.clock.now += timedelta(hours=1)
    await watcher.look()
    assert len(posts.posts) == 1


async def test_a_clock_that_was_set_back_stops_nothing(watcher: Watcher, mails: Mailbox) -> None:
    watcher.clock.now += timedelta(days=2)
    await watcher.add("quiet", "no events for 30 minutes", MAIL)
    await watcher.look()
    await append(watcher.service.log, [an_event()])
    watcher.clock.now = NOW
    await watcher.look()
    assert mails.subjects() == [QUIET, AGAIN]


async def test_a_rule_that_cannot_be_looked_at_keeps_no_other_from_it(
    watcher: Watcher, mails: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = watcher.checks.look

    async def fails_once(condition: Condition, *given: Any) -> Finding | None:
        if condition is State.FAILED_PROOF:
            raise Unreadable("a page is damaged")
        return await look(condition, *given)

    monkeypatch.setattr(watcher.checks, "look", fails_once)
    await watcher.add("damaged", "failed proof", MAIL)
    await watcher.add("quiet", "no events for 30 minutes", MAIL)
    with structlog.testing.capture_logs() as told:
        for _ in range(3):
            await watcher.look()
    assert mails.subjects() == [QUIET]
    assert [line["rule"] for line in told if line["log_level"] == "warning"] == ["damaged"]


async def test_a_retired_site_is_not_missed(watcher: Watcher, mails: Mailbox) -> None:
    blog = await add_site(watcher.service.log, "blog")
    await watcher.add("quiet", "no events for 30 minutes", MAIL, site=blog)
    await retire_site(watcher.service.log, "blog")
    await watcher.look()
    assert mails.subjects() == []
