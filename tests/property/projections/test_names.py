"""Fold, fresh reads, verification, rebuild, questions and kept files count names as a replay of the appends does."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from projections.archive.catalog import Span, appended
from projections.archive.identity import check_archive, mark
from projections.archive.kept_hours import KeptHours
from projections.archive.writer import Writer
from projections.projector import catch_up, step
from projections.rebuild import REBUILT
from service.archive.questions import Trend
from service.ingest.append_queue import shard_of
from service.ingest.event import Event
from service.questions.page_events import PAGE_LEFT, PAGE_VIEWED
from sql.hourly import NAMES
from tests.property.archive.test_recounts import FORGET, KEEP
from tests.support import names
from tests.support.archive import hours_of
from tests.support.engines import NO_ARCHIVE, InProcess
from tests.support.histories import History, history
from tests.support.log import an_event, append
from tests.support.oracle import HOUR
from tests.support.projection import START, folded, fresh, proofs, rebuilt
from tests.support.sent_events import examples

HOURS = 3
UNTIL = START + HOURS * HOUR
BOUNDS = [START, START + HOUR, START + timedelta(hours=1, minutes=45), UNTIL]
RECOUNT = "select bucket, dimension, key, kind, member, amount from hourly_recount($1, $2, 9223372036854775807)"

name = st.integers(0, 5).map("n{}".format)


@dataclass(frozen=True)
class Sent:
    """An event to send. repeats: it has the id of the one before, so that only its names are new."""

    minute: int
    session: int
    kind: str
    tool: str | None
    action: str | None
    mode: str | None
    repeats: bool


@dataclass(frozen=True)
class Batch:
    """An append. hours: its clock, from START on. most: new names an hour and site. limit: positions to fold then."""

    hours: int
    most: int | None
    limit: int
    events: list[Sent]


sent = st.builds(
    Sent,
    st.integers(0, HOURS * 60 - 1),
    st.integers(0, 4),
    name | st.sampled_from([PAGE_VIEWED, PAGE_LEFT]),
    st.none() | name,
    st.none() | name,
    st.none() | name | st.just("(other)"),
    st.integers(0, 9).map(lambda number: number == 0),
)
# An event may be 24 hours ahead of the clock.
batches = st.builds(
    Batch,
    st.sampled_from([-20, -19, -1, 0, 1, 2, 6]),
    st.sampled_from([1, 1, 2, 3, None]),
    st.sampled_from([0, 0, 3, 1_000]),
    st.lists(sent, min_size=1, max_size=8),
)


def events_of(given_batches: list[Batch]) -> list[list[Event]]:
    """Return the events of each batch."""
    found: list[list[Event]] = []
    last: Event | None = None
    for batch in given_batches:
        found.append([])
        for each in batch.events:
            event = an_event(
                sum(map(len, found)),
                at=START + timedelta(minutes=each.minute),
                session=f"s{each.session}",
                kind="risk_mode_changed" if each.mode else each.kind,
                tool=each.tool,
                properties=json.dumps({"risk_mode": each.mode}) if each.mode else None,
            )._replace(action=each.action)
            if each.repeats and last is not None:
                event = event._replace(event_id=last.event_id, timestamp=last.timestamp, session_id=last.session_id)
            found[-1].append(event)
            last = event
    return found


@given(st.sampled_from([1, 3]), st.lists(batches, min_size=1, max_size=6), st.sampled_from(NAMES))
@settings(examples(15), print_blob=True)
async def test_everything_counts_names_alike(
    database_url: str, shards: int, given_batches: list[Batch], divided_by: str
) -> None:
    async with history(database_url, shards) as both:
        await both.admin.execute(FORGET.lstrip("; "))
        of_shards = [names.Shard() for _ in range(shards)]
        for batch, events in zip(given_batches, events_of(given_batches), strict=True):
            clock = START + batch.hours * HOUR
            for shard, of_shard in enumerate(of_shards):
                some = [event for event in events if shard_of(event.session_id, shards) == shard]
                if some:
                    await append(both.database, some, shard=shard, clock=clock, new_names=batch.most)
                share = None if batch.most is None else -(-batch.most // shards)
                of_shard.append(some, clock, share)
            if batch.limit:
                await step(both.database, limit=batch.limit)
        await _check_rollups(both, of_shards)
        with TemporaryDirectory() as folder:
            await _check_archive(both, of_shards, divided_by, Path(folder))


async def _check_rollups(both: History, of_shards: list[names.Shard]) -> None:
    for shard, of_shard in enumerate(of_shards):
        found = await fresh(both.database, START, UNTIL, shard=shard)
        assert found == names.fresh(of_shard.named, START, UNTIL)
    await catch_up(both.database)
    for shard, of_shard in enumerate(of_shards):
        assert await folded(both.admin, shard=shard) == names.rows(of_shard.named)
    assert {proof.state for proof in await proofs(both.database)} <= {"verified"}
    assert {(each.outcome, each.rows_written) for each in await rebuilt(both.database)} <= {(REBUILT, 0)}


async def _check_archive(both: History, of_shards: list[names.Shard], divided_by: str, archive: Path) -> None:
    expected = names.trend([each for of_shard in of_shards for each in of_shard.named], BOUNDS, divided_by)
    assert await _trend(both, NO_ARCHIVE, divided_by) == expected
    mark(archive, await check_archive(both.database, archive))
    writer = Writer(both.database, archive)
    hours = [
        (shard, hour)
        for shard, of_shard in enumerate(of_shards)
        for hour in hours_of([event for event, _ in of_shard.named])
    ]
    async with both.database.transaction() as session:
        from_rows = [await session.rows(RECOUNT, *hour) for hour in hours]
    for shard, hour in hours:
        span = Span(shard, hour, hour + HOUR, is_day=False)
        assert await writer.write_rows(span, await appended(both.database, span))
    assert await _trend(both, archive, divided_by) == expected
    for day in {hour.date() for _, hour in hours}:
        await both.admin.execute(KEEP, day)
    with KeptHours(archive) as kept:
        async with both.database.transaction() as session:
            for shard, hour in hours:
                found = await kept.load(session, shard, hour)
                assert found is not None
                assert found.wrong is None
            from_files = [await session.rows(RECOUNT, *hour) for hour in hours]
    assert [Counter(map(tuple, rows)) for rows in from_files] == [Counter(map(tuple, rows)) for rows in from_rows]


async def _trend(both: History, archive: Path, divided_by: str) -> names.Counts:
    engine = InProcess(both.url, archive)
    try:
        found = await engine.ask(Trend(bounds=BOUNDS, named=(*NAMES, "sessions"), divided_by=divided_by))
    finally:
        await engine.close()
    return names.Counts(
        {(row["bucket"], row["measure"], row["key"]): row["amount"] for row in found.rows if row["bucket"] is not None}
    )
