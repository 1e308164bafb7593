"""Questions about events in the archive, asked as the service does, against ClickHouse and plain DuckDB in turns."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from bench.archive_beside import beside_rows, memory_rows, tail_rows
from bench.archive_page import page_rows
from bench.archive_peers import NO_CLICKHOUSE, ClickHouse, PlainDuck, has_clickhouse
from bench.archive_questions import QUESTIONS, Question
from bench.archive_writing import writing_rows
from bench.archived import Archived, archived
from bench.ground import Grounds, tell
from bench.rows import MILLISECONDS, Goal, NotCounted, Row, Spread, Step, in_turns, most
from bench.sizes import BYTES
from service.archive.engine import Engine

TIMES = (1, 10)
LARGE = 100
# The number of events that the goals against ClickHouse are for.
GOALS_HOLD_FOR = 10_000_000
# And these for ten times as many: the service gives a question 10 seconds.
LARGE_GOALS = {"funnel": 12_000.0, "count": 10_000.0, "top": 10_000.0, "distinct": 10_000.0}
# More than the service allows, so that a question that is too slow is measured, too.
SECONDS = 120

Peer = ClickHouse | PlainDuck


async def measure(grounds: Grounds) -> list[Row]:
    """Measure what writing costs, each size with its peers, and what else an archive of the largest costs."""
    rows = await writing_rows(grounds)
    for times in TIMES:
        async with _opened(grounds, times) as (archived, engine):
            rows += await _measured(archived, engine)
            if times == TIMES[-1]:
                rows += await memory_rows(archived, engine)
                rows += await page_rows(archived)
                rows += await tail_rows(archived, engine)
                rows += await beside_rows(archived, engine)
    return rows


async def measure_large(grounds: Grounds) -> list[Row]:
    """Measure a hundred times as many events."""
    async with _opened(grounds, LARGE) as (archived, engine):
        return [*await _measured(archived, engine), *await memory_rows(archived, engine)]


@asynccontextmanager
async def _opened(grounds: Grounds, times: int) -> AsyncIterator[tuple[Archived, Engine]]:
    async with archived(grounds.size, times) as ground:
        engine = Engine(ground.ground.url, ground.archive, ground.ground.folder, seconds=SECONDS)
        try:
            yield ground, engine
        finally:
            await engine.close()


async def _measured(archived: Archived, engine: Engine) -> list[Row]:
    with ExitStack() as opened:
        folder = opened.enter_context(_folder(archived))
        peers: list[Peer] = [PlainDuck(archived, folder)]
        if has_clickhouse():
            tell("load ClickHouse")
            peers.append(ClickHouse(archived, folder / "clickhouse"))
        for peer in peers:
            opened.callback(peer.close)
        asking = {question: partial(_ask, engine, archived, question) for question in QUESTIONS}
        for question, ask in asking.items():
            _compare(question, await ask(), peers)
        found = await in_turns(archived.ground.size.runs, dict(_steps(asking, peers)))
        return [*_rows(archived, peers, found), *_sizes(archived, peers)]


@contextmanager
def _folder(archived: Archived) -> Iterator[Path]:
    with TemporaryDirectory(dir=archived.ground.folder) as name:
        yield Path(name)


async def _ask(engine: Engine, archived: Archived, question: Question) -> int:
    answer = await engine.ask(question.asked(archived.since, archived.until))
    if answer.source != "archive":
        raise NotCounted(f"{question.what}: the answer came from {answer.source}, not from the archive")
    return question.amount(answer.rows)


def _compare(question: Question, amount: int, peers: list[Peer]) -> None:
    """Raise NotCounted unless the peers' answers are the same. It also warms them up."""
    for peer in peers:
        other = peer.amount(question.statement)
        is_alike = question.as_plain if isinstance(peer, PlainDuck) else question.as_clickhouse
        if is_alike and other != amount:
            raise NotCounted(f"{question.what}: the answer is {amount:,}, that of {peer.name} is {other:,}")


def _steps(asking: Mapping[Question, Callable[[], Awaitable[int]]], peers: list[Peer]) -> Iterator[tuple[str, Step]]:
    for question, ask in asking.items():
        yield question.what, _timed(ask)
        for peer in peers:
            yield _name(question, peer), _timed(partial(_answered, peer, question.statement))


async def _answered(peer: Peer, statement: str) -> int:
    return peer.amount(statement)


def _name(question: Question, peer: Peer) -> str:
    return f"{question.what}, {peer.name}"


def _timed(work: Callable[[], Awaitable[int]]) -> Step:
    async def step() -> float:
        started = perf_counter()
        await work()
        return (perf_counter() - started) * 1_000

    return step


def _rows(archived: Archived, peers: list[Peer], found: dict[str, Spread]) -> Iterator[Row]:
    for question in QUESTIONS:
        what = f"{question.what}, {archived.events:,} events archived"
        ours = found[question.what]
        plain, *others = peers
        for peer in others:
            yield Row(what, MILLISECONDS, ours, peer.name, found[_name(question, peer)], _goal(archived, question))
        if not others:
            yield Row(what, MILLISECONDS, ours, ClickHouse.name, goal=_goal(archived, question), skipped=NO_CLICKHOUSE)
        yield Row(what, MILLISECONDS, ours, plain.name, found[_name(question, plain)], _large_goal(archived, question))


def _goal(archived: Archived, question: Question) -> Goal | None:
    return question.goal if archived.events == GOALS_HOLD_FOR else None


def _large_goal(archived: Archived, question: Question) -> Goal | None:
    if archived.events != 10 * GOALS_HOLD_FOR:
        return None
    bound = next((bound for name, bound in LARGE_GOALS.items() if question.what.startswith(name)), None)
    return None if bound is None else most(bound)


def _sizes(archived: Archived, peers: list[Peer]) -> Iterator[Row]:
    what = f"bytes per event in the archive's files, {archived.events:,} events"
    ours = Spread((archived.bytes / archived.events,))
    others = [peer for peer in peers if isinstance(peer, ClickHouse)]
    for peer in others:
        size = Spread((peer.bytes / archived.events,))
        yield Row(what, BYTES, ours, f"{peer.name}, fewer columns", size, most(45))
    if not others:
        yield Row(what, BYTES, ours, goal=most(45))
