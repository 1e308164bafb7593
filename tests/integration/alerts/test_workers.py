"""What one worker finds wrong with itself is known to all, because any of them may look at a rule."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from service.alerts.worker_reasons import REMEMBERED
from tests.support.alerts import TURN, Clock, Watcher, watching
from tests.support.targets import Mailbox

MAIL = "mailto:ops@example.com"
ALERT, RECOVERY = "[hourledger] default: {}", "[hourledger] default: recovered: {}"


@pytest_asyncio.fixture(name="pair")
async def _pair(database_url: str, tmp_path: Path, mails: Mailbox) -> AsyncIterator[tuple[Watcher, Watcher]]:
    clock = Clock()
    async with (
        watching(database_url, tmp_path, clock, mails.url) as one,
        watching(database_url, tmp_path, clock, mails.url) as other,
    ):
        yield one, other


async def in_turns(pair: tuple[Watcher, Watcher], turns: int = 3) -> None:
    """Let both workers look, each after the other, and each in its turn the first, which takes the rules."""
    for turn in range(turns):
        first, second = pair if turn % 2 else pair[::-1]
        await first.look()
        first.clock.now -= TURN  # the second looks at the same time
        await second.look()


@pytest.mark.parametrize("condition", ["low disk", "degraded"])
async def test_what_one_worker_sees_fires_once_whoever_looks(
    pair: tuple[Watcher, Watcher], mails: Mailbox, admin: asyncpg.Connection, condition: str
) -> None:
    one, _ = pair
    await one.add("disk", condition, MAIL)
    one.service.appender.admission.disk_full = True
    await in_turns(pair, 6)
    assert mails.subjects() == [ALERT.format(condition)]
    assert await admin.fetchval("select count(*) from worker_reasons") == 1
    one.service.appender.admission.disk_full = False
    await in_turns(pair, 6)
    assert mails.subjects() == [ALERT.format(condition), RECOVERY.format(condition)]
    assert await admin.fetchval("select count(*) from worker_reasons") == 0


async def test_what_a_worker_said_that_died_is_forgotten(
    pair: tuple[Watcher, Watcher], mails: Mailbox, admin: asyncpg.Connection
) -> None:
    died, lives = pair
    await lives.add("disk", "low disk", MAIL)
    died.service.appender.admission.disk_full = True
    await died.look()
    lives.clock.now += REMEMBERED - TURN
    await lives.look()
    assert mails.subjects() == [ALERT.format("low disk")]
    await lives.look()
    assert mails.subjects() == [ALERT.format("low disk"), RECOVERY.format("low disk")]
    lives.service.appender.admission.disk_full = True
    await lives.look()
    assert await admin.fetchval("select count(*) from worker_reasons") == 1


async def test_while_nothing_is_wrong_nothing_is_written(
    pair: tuple[Watcher, Watcher], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = pair
    await one.add("disk", "low disk", MAIL)
    asked: list[str] = []
    rows = one.service.log.rows

    async def noted(query: str, *args: object) -> object:
        asked.append(query)
        return await rows(query, *args)

    monkeypatch.setattr(one.service.log, "rows", noted)
    await in_turns(pair)
    assert asked
    statements = one.service.log.statements
    assert not {statements.tell_worker_reasons, statements.forget_worker_reasons} & set(asked)
