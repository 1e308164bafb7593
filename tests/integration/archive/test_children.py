"""What a question may cost: its own answer, never that of another, and no process is left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from functools import partial
from itertools import count
from operator import not_
from pathlib import Path

import asyncpg
import psutil
import pytest

import service.archive.engine
from service.archive import timing
from service.archive.engine import Engine
from service.archive.process import ENVIRONMENT
from service.archive.scratch import PREFIX
from service.errors import ReadInterrupted, ReadTooLarge, ReadTooSlow, ServiceError, Stopping
from sql.database import Database
from sql.errors import Unreachable
from tests.integration.archive.conftest import within
from tests.support.archive_questions import COMMAND, Ended, Ids, Many, Statement, Told
from tests.support.log import an_event, append
from tests.support.waiting import until

pytestmark = pytest.mark.versions("newest")

# It takes weeks, and no memory; a join would soon be refused for the memory that it takes.
ENDLESS = Statement(text="select count(*) from range(1000000000000000) as a where hash(a.range) = 0")
TOLD = Told()


def memory_score(pid: int) -> int | None:
    """Return how readily the system ends a process when memory runs out; None where it does not tell."""
    score = Path(f"/proc/{pid}/oom_score_adj")
    return int(score.read_text()) if score.exists() else None


def left_in(folder: Path) -> list[Path]:
    """Return the folders of workers."""
    return list(folder.glob(f"{PREFIX}*"))


async def pid_of(engine: Engine) -> int:
    return int((await engine.ask(TOLD)).rows[0]["pid"])


SECRETS = {"DATABASE_URL": "postgresql://a:secret@b/c", "HOURLEDGER_READ_TOKEN": "secret", "PGPASSWORD": "secret"}


async def test_a_process_shows_no_secret(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    shown = psutil.Process(await pid_of(engine)).environ()
    assert not any("secret" in value for value in shown.values())
    assert set(shown) <= {*ENVIRONMENT, "LC_CTYPE"}  # which Python sets for itself


async def test_a_child_is_kept_and_gives_way(engine: Engine) -> None:
    first = await pid_of(engine)
    assert [await pid_of(engine) for _ in range(3)] == [first] * 3
    assert (await engine.ask(TOLD)).rows[0]["nice"] >= 10
    assert memory_score(first) in (800, None)
    # Nobody who lists processes sees a password.
    assert not any("postgresql://" in word for word in psutil.Process(first).cmdline())


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="only Linux lets a process choose its processors")
async def test_a_child_leaves_processors_to_events_that_come(engine: Engine, database: Database) -> None:
    pid = await pid_of(engine)
    every = os.sched_getaffinity(0)
    numbers = count()

    async def processors(events: int) -> set[int]:
        """Return those of all threads of the child after so many events and a question."""
        if events:
            await append(database, [an_event(next(numbers)) for _ in range(events)])
        assert await pid_of(engine) == pid
        return {each for thread in psutil.Process(pid).threads() for each in os.sched_getaffinity(thread.id)}

    assert await processors(0) == every
    half = max(1, len(every) // 2)
    await until(partial(processors, 1_000), "it uses half of them", holds=lambda used: len(used) == half)
    await until(partial(processors, 0), "it uses all of them", holds=lambda used: used == every)


async def test_two_questions_have_two_children_and_the_third_waits(engine: Engine) -> None:
    slow = [asyncio.create_task(engine.ask(ENDLESS)) for _ in range(2)]
    await until(psutil.Process().children, "two children run", holds=lambda children: len(children) >= 2)
    third = asyncio.create_task(engine.ask(TOLD))
    await asyncio.wait({third}, timeout=0.3)
    assert not third.done()
    slow[0].cancel()
    assert (await third).rows
    slow[1].cancel()
    await asyncio.gather(*slow, return_exceptions=True)


@pytest.mark.parametrize(("code", "how"), [(None, "signal 9"), (3, "code 3")])
async def test_a_child_that_ends_costs_one_question(engine: Engine, code: int | None, how: str) -> None:
    first = await pid_of(engine)
    with pytest.raises(ReadInterrupted, match=how):
        await engine.ask(Ended(code=code))
    second = await pid_of(engine)
    assert second != first
    assert not psutil.pid_exists(first)
    # One that ends between two questions costs none.
    os.kill(second, signal.SIGKILL)
    assert await pid_of(engine) not in (first, second)


async def test_a_child_that_is_killed_while_it_answers_costs_one_question(engine: Engine) -> None:
    pid = await pid_of(engine)
    child = psutil.Process(pid)
    before = child.cpu_times().user
    asked = asyncio.create_task(engine.ask(ENDLESS))
    await until(child.cpu_times, "it works on the question", holds=lambda times: times.user > before + 0.1)
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(ReadInterrupted, match="out of memory"):
        await asked
    assert await pid_of(engine) != pid


@pytest.fixture
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let children take as long as they need on a busy machine to end a question."""
    monkeypatch.setattr(service.archive.engine, "STOP_SECONDS", 60)


@pytest.mark.usefixtures("_patient")
async def test_a_question_that_takes_too_long_ends_in_its_child_which_is_kept(engine: Engine) -> None:
    pid = await pid_of(engine)
    with within(engine, 1), pytest.raises(ReadTooSlow, match="longer than 1 s"):
        await engine.ask(ENDLESS)
    await until(lambda: engine._settling, "the question has ended", holds=not_)
    assert await pid_of(engine) == pid


async def test_a_child_that_does_not_stop_is_killed(engine: Engine) -> None:
    pid = await pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    with within(engine, 1), pytest.raises(ReadTooSlow):
        await engine.ask(TOLD)
    assert await pid_of(engine) != pid
    await until(lambda: psutil.pid_exists(pid), "the process ends", holds=not_)


@pytest.mark.usefixtures("_patient")
async def test_a_question_ends_when_its_asker_leaves(engine: Engine) -> None:
    pid = await pid_of(engine)
    child = psutil.Process(pid)
    before = child.cpu_times().user
    asked = asyncio.create_task(engine.ask(ENDLESS))
    await until(child.cpu_times, "it works on the question", holds=lambda times: times.user > before + 0.1)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await until(lambda: engine._settling, "the question has ended", holds=not_)
    assert await pid_of(engine) == pid


async def test_a_question_that_waits_for_the_database_ends_there_too(
    database: Database, database_url: str, engine: Engine
) -> None:
    await append(database, [an_event()])
    await engine.ask(TOLD)
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute("lock table events in access exclusive mode")
            asked = asyncio.create_task(engine.ask(Ids()))
            await waiting(database, 1)
            asked.cancel()
            await waiting(database, 0)
    finally:
        await holder.close()
    assert (await engine.ask(Ids())).rows


async def waiting(database: Database, number: int) -> None:
    async with asyncio.timeout(8):
        while (  # noqa: ASYNC110  # a lock sends no event
            await database.only(
                "select count(*) as n from pg_stat_activity"
                " where datname = current_database() and wait_event_type = 'Lock'"
            )
        )["n"] != number:
            await asyncio.sleep(0.01)


BOUNDS = {
    "memory": "select count(*) from (select list(range) as l from range(300000000)) where len(l) > 0",
    "rows of a sort": (
        "select max(n) from (select row_number() over (order by hash(range)) as n from range(3000000000)) as s"
    ),
}


@pytest.mark.parametrize("text", BOUNDS.values(), ids=BOUNDS)
async def test_a_question_that_needs_too_much_is_refused_by_name(engine: Engine, text: str) -> None:
    pid = await pid_of(engine)
    with pytest.raises(ReadTooLarge, match="memory"):
        await engine.ask(Statement(text=text))
    assert psutil.Process(pid).memory_info().rss < 750 * 2**20
    assert await pid_of(engine) == pid


async def test_long_answers_come_whole_and_endless_ones_are_refused(engine: Engine) -> None:
    answer = await engine.ask(Many(rows=12_345, characters=100))
    assert answer.rows == [{"text": "é" * 100}] * 12_345
    pid = await pid_of(engine)
    with pytest.raises(ReadTooLarge):
        await engine.ask(Many(rows=7, characters=2**24))
    with pytest.raises(ReadTooLarge):
        await engine.ask(Many(rows=100_000, characters=1_000))
    assert await pid_of(engine) == pid


async def test_a_fault_of_the_program_is_one_and_the_child_goes_on(engine: Engine) -> None:
    pid = await pid_of(engine)
    with pytest.raises(ServiceError, match="its log says why") as error:
        await engine.ask(Statement(text="select no_such_column"))
    assert error.value.code == "internal"
    assert await pid_of(engine) == pid


async def test_a_database_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    engine = Engine("postgresql://nobody@127.0.0.1:1/none", tmp_path, tmp_path, command=COMMAND)
    with pytest.raises(Unreachable):
        await engine.ask(TOLD)
    await engine.close()


async def test_the_steps_of_all_questions_are_gathered(engine: Engine) -> None:
    with timing.gathered() as seconds:
        await engine.ask(TOLD)
        once = dict(seconds)
        await engine.ask(TOLD)
    assert set(seconds) == {"wait", "snapshot", "files", "rows", "query"}
    assert all(seconds[step] > once[step] for step in seconds)
    assert timing.server_timing({"wait": 0.0012, "query": 1.5}) == "wait;dur=1.2, query;dur=1500.0"


async def test_closing_leaves_no_process_and_no_file(engine: Engine, tmp_path: Path) -> None:
    asked = [asyncio.create_task(engine.ask(ENDLESS)) for _ in range(2)]
    await until(psutil.Process().children, "two children run", holds=lambda children: len(children) >= 2)
    await asyncio.sleep(0.2)
    pids = [child.pid for child in psutil.Process().children() if COMMAND[-1] in child.cmdline()]
    await engine.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)
    for error in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(error, ReadInterrupted | Stopping)
    assert left_in(tmp_path) == []


WORKER = """
import asyncio, sys
from pathlib import Path
from service.archive.engine import Engine
from tests.support.archive_questions import COMMAND
from tests.integration.archive.test_children import ENDLESS, TOLD

async def main():
    engine = Engine(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[2]), command=COMMAND)
    answer = await engine.ask(TOLD)
    print(answer.rows[0]["pid"], flush=True)
    await asyncio.gather(engine.ask(ENDLESS), engine.ask(ENDLESS))

asyncio.run(main())
"""


def started(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", *words], stdout=subprocess.PIPE)


async def test_children_end_with_a_worker_that_is_killed(database_url: str, tmp_path: Path) -> None:
    worker = started(WORKER, database_url, str(tmp_path))
    with worker:
        assert worker.stdout is not None
        await asyncio.to_thread(worker.stdout.readline)
        await until(psutil.Process(worker.pid).children, "two children run", holds=lambda children: len(children) == 2)
        children = psutil.Process(worker.pid).children()
        worker.kill()
        await until(lambda: [child for child in children if child.is_running()], "the children end", holds=not_)
    assert [each for folder in left_in(tmp_path) for each in folder.iterdir() if each.is_dir()] == []
    # The next worker removes what is left.
    engine = Engine(database_url, tmp_path, tmp_path, command=COMMAND)
    await engine.ask(TOLD)
    assert len(left_in(tmp_path)) == 1
    await engine.close()
