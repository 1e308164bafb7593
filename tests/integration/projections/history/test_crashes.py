"""A process that ends at any step of a day of history loses nothing, and the next one ends the work."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from projections.archive import steps
from projections.retention import retain
from sql.retention import Retention
from tests.conftest import RETENTION_DAYS
from tests.integration.projections.archive.test_crashes import killed_at
from tests.support.history import LONG, Past, date_of, history_of
from tests.support.retired_days import of_day, past, reading_at


@pytest.mark.parametrize("step", steps.HISTORY_STEPS)
async def test_killed_while_a_day_takes_history(past_days: Past, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Each of two runs brings in the same events; the first one is killed."""
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    new, events = history_of(0, seed=1), list(past_days.events)

    with killed_at(step, monkeypatch):
        assert await past_days.history.open(date_of(0), "the first run", "me") is None
        await past_days.append(0, new[:5] if step == steps.APPENDED else new)
        steps.reached(steps.APPENDED)
        await past_days.history.close(date_of(0))
    past_days.events = list(events)
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []
    is_open = step not in {steps.PARTLY_RESTORED, steps.RESTORED, steps.CLOSED}
    assert await past_days.history.left() == [date_of(0)] * is_open

    await past_days.bring_in(0, new)
    past_days.events = [*events, *new]
    await past_days.check()
    await past_days.drop_tables()
    await past_days.check()
    assert len(await past_days.in_files(0)) == len(of_day(0, past_days.events))
    amended = await past_days.log.admin.fetch("select shard from amendments")
    expected = [past_days.log.shard_of(event.session_id) for some in (history_of(0), new) for event in some]
    assert {row["shard"] for row in amended} == set(expected)


async def test_a_day_that_was_left_open_is_closed_without_more_events(
    past_days: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(steps.SHUT, monkeypatch):
        await past_days.bring_in(1, history_of(1))
    (left,) = await past_days.history.left()
    await past_days.history.close(left)
    await past_days.check()


async def test_retention_leaves_an_open_day_alone(past_days: Past) -> None:
    assert await past_days.history.open(date_of(1), "a test", "me") is None
    await past_days.append(1, history_of(1))
    statements = past_days.log.database.statements
    await past_days.keep_for(7)
    due = await past_days.log.database.rows(statements.list_overdue_days, timedelta(0), past(4), past(4), 7)
    assert [row["day"] for row in due] == [date_of(number) for number in (0, 2, 3, 4)]
    row = await past_days.log.database.only(statements.detach_day, date_of(1), past(4), past(4), None)
    assert (row["hindrance"], row["failed"]) == ("open", False)
    await past_days.history.close(date_of(1))
    await past_days.check()


async def test_retention_drops_what_a_killed_import_was_restoring_for_a_day(
    past_days: Past, monkeypatch: pytest.MonkeyPatch
) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    with killed_at(steps.PARTLY_RESTORED, monkeypatch):
        await past_days.history.open(date_of(0), "a test", "me")
    restored = await past_days.log.admin.fetchval("select restored_table($1)", date_of(0))
    await past_days.log.admin.execute("create table restored_20000101 (of_another bigint)")
    assert await tables_after_a_pass(past_days) == ["restored_20000101", restored]
    for hours, left in ((23, [restored]), (25, [])):
        begun = datetime.now(UTC) - timedelta(hours=hours)
        note = f"Events on their way back from the archive, since {begun:%Y-%m-%dT%H:%M:%SZ}"
        await past_days.log.admin.execute(f"comment on table {restored} is '{note}'")
        assert await tables_after_a_pass(past_days) == ["restored_20000101", *left]
    await past_days.log.admin.execute("drop table restored_20000101")
    await past_days.check()
    await past_days.bring_in(0, history_of(0, seed=1))
    await past_days.check()


async def tables_after_a_pass(past_days: Past) -> list[str]:
    """Run a pass of retention; return the tables that hold restored events."""
    kept, reading = Retention(LONG, LONG, RETENTION_DAYS), reading_at(past(4))
    async for _ in retain(past_days.log.database, kept, archive=past_days.archive, reading=reading):
        pass
    query = "select relname from pg_class where relkind = 'r' and relname ~ '^restored_' order by relname"
    return [row["relname"] for row in await past_days.log.admin.fetch(query)]
