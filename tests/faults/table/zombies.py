"""Processes that stop in the middle of a transaction, seem dead, and go on after another has done their work."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import not_

import asyncpg

from tests.faults.table.ground import Ground
from tests.faults.table.processes import ended, project, rebuild_again, start
from tests.support.waiting import until

# A fold and a rebuild wait for this lock when they hold the checkpoint and begin to write.
LOCK_SESSIONS = "lock table hourly_members in share mode"
WAITING = "select exists (select from pg_locks where not granted and pg_backend_pid() = any (pg_blocking_pids(pid)))"
CHECKPOINT_HELD = """
select {result}
from pg_stat_activity
where datname = current_database() and state = 'idle in transaction'
    and pid in (select pid from pg_locks where relation = 'checkpoints'::regclass and mode = 'RowShareLock')
"""
HELD = CHECKPOINT_HELD.format(result="count(*) > 0")
END_HOLDER = CHECKPOINT_HELD.format(result="pg_terminate_backend(pid)")
CONNECTIONS = (
    "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'hourledger'"
)


async def stop_folds(ground: Ground) -> None:
    """Stop a projector whose fold waits for a lock; let another one fold new events; then let the first go on."""
    for _ in range(ground.trial.faults):
        async with _stopped(ground, project) as zombie, _other_projector(ground):
            await ground.append()
            await until(ground.behind, "the other projector folds", holds=not_)
            ground.row.faults += 1
            os.kill(zombie, signal.SIGCONT)
            await _fold_one_more(ground)


async def stop_checkpoint_holders(ground: Ground) -> None:
    """Stop a rebuild that holds the checkpoint's lock between two statements.

    Every second time PostgreSQL ends the stopped process's transaction, as idle_in_transaction_session_timeout does
    after a minute. Otherwise the process goes on with the lock that it still holds.
    """
    administrator = await asyncpg.connect(ground.url)

    async def held() -> bool:
        return bool(await administrator.fetchval(HELD))

    async def behind_when_ended() -> list[asyncpg.Record]:
        await administrator.fetch(END_HOLDER)  # each time, because another transaction of it may take the lock
        return await ground.behind()

    try:
        for number in range(ground.trial.faults):
            async with _stopped(ground, rebuild_again) as zombie:
                await until(held, "the stopped process has a transaction open")
                async with _other_projector(ground):
                    await ground.append()
                    if number % 2:
                        await until(behind_when_ended, "the other projector folds", holds=not_)
                    ground.row.faults += 1
                    os.kill(zombie, signal.SIGCONT)
                    await _fold_one_more(ground)
    finally:
        await administrator.close()


async def _fold_one_more(ground: Ground) -> None:
    hour = await ground.append()
    await until(ground.behind, "all is folded", holds=not_)
    await ground.verify(hour)


@asynccontextmanager
async def _stopped(ground: Ground, target: Callable[[str], None]) -> AsyncIterator[int]:
    """Stop a process while it holds the checkpoint and waits for another lock; free that lock; give the process id."""
    holder = await asyncpg.connect(ground.url)

    async def connections() -> int:
        return int(await holder.fetchval(CONNECTIONS))

    async def waited_for() -> bool:
        return bool(await holder.fetchval(WAITING))

    try:
        await ground.append()
        # Wait, because the session of a killed process could still hold the checkpoint.
        await until(
            connections,
            "the connections of killed processes have ended",
            holds=lambda number: number == ground.database._pool.get_size(),
        )
        await holder.execute("begin")
        await holder.execute(LOCK_SESSIONS)
        process = start(target, ground.url)
        with ended(process):
            await until(waited_for, "the process waits for the lock")
            assert process.pid is not None
            os.kill(process.pid, signal.SIGSTOP)
            await holder.execute("rollback")
            yield process.pid
    finally:
        await holder.close()


@asynccontextmanager
async def _other_projector(ground: Ground) -> AsyncIterator[None]:
    with ended(start(project, ground.url)):
        yield
