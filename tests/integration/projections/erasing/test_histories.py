"""Random histories of appends, folds, archiving, kept days, rebuilds and erasures end as if the erased never were.

So does an erasure that is cut after any of its statements and run again.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from itertools import count
from typing import Any

import pytest

from projections.archive.kept_hours import KeptHours
from projections.conservation import conservation
from projections.erasing.certificate import complete
from projections.hours import list_hours
from projections.projector import catch_up, step
from projections.rebuild import rebuild
from projections.retention import retain
from sql.database import Database, Session
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.support.archive import archived
from tests.support.erasing import begun, erase_from, no_file, send_again, session, user, where_it_is, without, work_on
from tests.support.history import LONG, Past, history_of
from tests.support.retired_days import EVENTS, day, past, reading_at

SEEDS = range(2)


class Cut(Exception):
    """A process ended between two statements."""


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_history_ends_as_if_they_never_were(past_days: Past, seed: int) -> None:
    chance = random.Random(seed)
    erased: list[str] = []
    numbers = count(1)

    async def append() -> None:
        new = [event for event in history_of(9, 10, seed=next(numbers) + 10) if event.user_id not in erased]
        await send_again(past_days.log.database, new, past_days.log.shards, past_days.log)
        past_days.events += new

    async def send_old() -> None:
        gone = [event for event in EVENTS if event not in past_days.events and event.timestamp >= day(9)]
        assert await send_again(past_days.log.database, gone, past_days.log.shards, past_days.log) <= {"duplicate"}

    async def erase() -> None:
        subject = chance.choice([user(f"u{chance.choice('1239')}"), session(f"s{chance.randrange(9)}")])
        await erase_from(past_days, subject, named=chance.random() < 0.8, vacuums=False)
        erased.append(subject.id)

    steps: list[Callable[[], Awaitable[Any]]] = [
        append,
        erase,
        send_old,
        lambda: keep(past_days),
        past_days.drop_tables,
        lambda: step(past_days.log.database, limit=5),
        lambda: rebuild_all(past_days),
        lambda: past_days.log.database.only(past_days.log.database.statements.compact_receipts, 0),
    ]
    chance.shuffle(steps)
    for each in [*steps, erase, *chance.choices(steps, k=3)]:
        await each()
    await erase()
    await send_old()
    await past_days.check()
    for name in erased:
        assert name in {event.session_id for event in past_days.events} or not [
            table
            for table in await where_it_is(past_days.log.admin, past_days.archive, f'"{name}"')
            if table != "pg_statistic"
        ]


async def keep(days: Past) -> None:
    await archived(days.log.database, days.archive, past(4))
    kept = Retention(LONG, LONG, RETENTION_DAYS)
    clocks = reading_at(past(4))
    passed = retain(days.log.database, kept, archive=days.archive, reading=clocks, force=True)
    assert [each async for each in passed if each.failed] == []


async def rebuild_all(days: Past) -> None:
    with KeptHours(days.archive) as kept:
        hours = await list_hours(days.log.database, None, None)
        assert [each async for each in rebuild(days.log.database, hours, kept) if each.rows_written] == []


def cutting(monkeypatch: pytest.MonkeyPatch, after: int) -> Callable[[], bool]:
    """Let `after` statements pass, and raise Cut instead of any later one; return whether that happened."""
    left = after

    def patched(of: type, name: str) -> None:
        original = getattr(of, name)

        async def limited(self: Any, *args: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                raise Cut
            return await original(self, *args)

        monkeypatch.setattr(of, name, limited)

    patched(Database, "_rows")
    patched(Database, "alone")
    patched(Session, "rows")
    return lambda: left < 0


@pytest.mark.parametrize("sharded", [1], indirect=True, ids=["1 shard"])
async def test_cut_after_any_statement(past_days: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run is cut one statement later than the one before, and goes on with what that one left."""
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    await catch_up(past_days.log.database)
    work = work_on(past_days, user("u1"), named=True, vacuums=False)
    expected = without(past_days.events, user("u1"), named=True)
    certificate = None
    for after in count(1, 3):
        with monkeypatch.context() as patched:
            was_cut = cutting(patched, after)
            try:
                certificate = await complete(work.database, await begun(work), no_file)
            except Cut:
                assert was_cut()
        if certificate is not None:
            break
        if after % 5 == 0:
            wrong = [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}]
            assert wrong == []
            assert [shard for shard in await conservation(work.database) if not shard.holds] == []
    assert certificate is not None
    # A cut can come after the certificate is written. The next run then begins another erasure, which finds nothing.
    erasures = await work.database.rows(work.database.statements.list_erasures)
    assert sum(erasure["events"] for erasure in erasures) == len(past_days.events) - len(expected)
    past_days.events = expected
    await past_days.check()
