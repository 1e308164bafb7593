"""A quarantine that ends anywhere leaves whole days behind, and goes on; a day that cannot change stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections import versions
from projections.archive import steps
from projections.archive.kept_hours import KeptHours
from projections.history import History
from projections.quarantine import Quarantines, UnknownQuarantine
from projections.quarantined_day import WHY_NOT, NotNow
from sql.migrate import migrate, rollback
from tests.integration.projections.archive.test_crashes import killed_at
from tests.support.archived_days import brought_back, kept_past, passed
from tests.support.history import Past, date_of, history_of
from tests.support.quarantines import SINCE, check, counted, definition, is_flood, lift, put
from tests.support.retired_days import DAY, EVENTS, day, past, reading_at
from tests.support.schema import version
from tests.support.sharded import Sharded

pytestmark = pytest.mark.versions("newest")
# The step of the schema that brings quarantines.
STEP = 16
FORCED = "select day from quarantined_days order by day"


async def forced(log: Sharded) -> list[object]:
    return [row["day"] for row in await log.admin.fetch(FORCED)]


@pytest.mark.parametrize("step", steps.QUARANTINE_STEPS)
async def test_killed_at_any_step(
    log: Sharded, kept: KeptHours, archive: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with killed_at(step, monkeypatch):
        await put(log, kept)
    done = int(step == steps.DAY_CHANGED)
    assert await forced(log) == [date_of(0)][:done]
    counting = counted(EVENTS, until=day(done))
    with KeptHours(archive) as again:
        await check(log, again, EVENTS, counting)
        assert len(await put(log, again)) == 4 - done
        await check(log, again, EVENTS, counted(EVENTS))
        with killed_at(step, monkeypatch):
            await lift(log, again)
        assert len(await forced(log)) == 4 - done
        await check(log, again, EVENTS, counted(EVENTS, since=max(day(done), SINCE)))
        await lift(log, again)
        await check(log, again, EVENTS, EVENTS)
    assert await log.admin.fetchval("select count(*) from quarantines") == 1
    with pytest.raises(UnknownQuarantine, match="quarantine 1 was lifted at"):
        await lift(log, kept)


async def test_days_whose_events_are_gone_are_named(log: Sharded, archive: Path, kept: KeptHours) -> None:
    await passed(log.database, kept_past(0), archive, force=True, patience=DAY * 0)
    days = await put(log, kept)
    gone = {changed.day: changed.hindrance for changed in days if changed.hindrance}
    assert gone == {date_of(0): WHY_NOT["detached"]}
    assert await forced(log) == [date_of(number) for number in (1, 2, 3)]
    await check(log, kept, EVENTS, counted(EVENTS, since=day(1)))
    assert [changed for changed in await lift(log, kept) if changed.hindrance] == []


async def test_a_day_that_may_come_back_keeps_a_quarantine_from_being_lifted(
    log: Sharded, archive: Path, kept: KeptHours
) -> None:
    await put(log, kept)
    await passed(log.database, kept_past(0), archive, force=True, patience=DAY * 0)
    assert [(each.day, each.hindrance) for each in await lift(log, kept) if each.hindrance] == [
        (date_of(0), WHY_NOT["detached"])
    ]
    await brought_back(log.database, kept_past(0), archive)
    with KeptHours(archive) as again:
        assert [(each.day, each.hindrance) for each in await lift(log, again)] == [(date_of(0), None)]
        await check(log, again, EVENTS, EVENTS)
    with pytest.raises(UnknownQuarantine, match="quarantine 1 was lifted at"):
        await lift(log, kept)


async def test_history_of_days_that_are_new_to_the_log_is_left_out(log: Sharded, archive: Path) -> None:
    older = {-3: history_of(-3), -2: history_of(-2, seed=1)}
    since = day(-5)
    log_of_past = Past(log, archive, list(EVENTS))
    await log.admin.execute("update log_heads set horizon = $1", day(2))
    await log_of_past.keep_for(1_000)
    with KeptHours(archive) as kept:
        assert await log_of_past.history.open(date_of(-2), "a test", "me") is None
        left = await put(log, kept, await definition(log.url, since=since))
        # Open when it was put: named, and in force once the command is run again.
        assert [(each.day, each.hindrance) for each in left if each.hindrance] == [(date_of(-2), WHY_NOT["opened"])]
        await log_of_past.append(-2, older[-2])
        await log_of_past.history.close(date_of(-2))
        await log_of_past.bring_in(-3, older[-3])
    stored = log_of_past.events
    with KeptHours(archive) as kept:
        await check(log, kept, stored, counted(EVENTS, since) + counted(older[-3], since) + older[-2])
        await put(log, kept, await definition(log.url, since=since))
        await check(log, kept, stored, counted(stored, since))
        await lift(log, kept)
        await check(log, kept, stored, stored)


async def test_a_damaged_hour_keeps_its_day_as_it_is(log: Sharded, archive: Path, kept: KeptHours) -> None:
    file = await log.admin.fetchval("select file from archive_hours where hour = $1", day(1))
    (archive / file).rename(archive / "aside")
    days = await put(log, kept)
    assert {(each.day, each.hindrance) for each in days if each.hindrance} == {
        (date_of(1), "its hour 00:00 is damaged; see make verify")
    }
    (archive / "aside").rename(archive / file)
    assert len(await put(log, kept)) == 1
    await check(log, kept, EVENTS, counted(EVENTS))


async def test_not_while_a_rebuild_is_under_way(log: Sharded, kept: KeptHours) -> None:
    await versions.begin(log.database)
    with pytest.raises(NotNow, match="a rebuild is under way"):
        await put(log, kept)
    assert await forced(log) == []


async def test_a_kept_day_that_takes_history_goes_on_leaving_them_out(log: Sharded, archive: Path) -> None:
    with KeptHours(archive) as kept:
        await put(log, kept)
        await log.admin.execute("update log_heads set horizon = $1", day(2))
        await Past(log, archive, []).keep_for(1_000)
        history = History(log.database, archive, reading=reading_at(past(1)), patience=20, pauses=(0.05,))
        assert await history.open(date_of(1), "a test", "me") is None
        (left,) = [each for each in await lift(log, kept) if each.hindrance]
        assert (left.day, left.hindrance) == (
            date_of(1),
            "it takes history now: run it again when the import has ended",
        )
        await history.close(date_of(1))
    with KeptHours(archive) as kept:
        only_day_1 = [event for event in EVENTS if not (is_flood(event) and day(1) <= event.timestamp < day(2))]
        await check(log, kept, EVENTS, only_day_1)
        await lift(log, kept)
        await check(log, kept, EVENTS, EVENTS)


async def test_a_dry_run_counts_and_changes_nothing(log: Sharded, kept: KeptHours) -> None:
    quarantines = Quarantines(log.database, kept)
    asked = await definition(log.url)
    days = [changed async for changed in quarantines.tried(asked)]
    flood = [event for event in EVENTS if is_flood(event)]
    assert [changed.events for changed in days] == [
        len([event for event in flood if day(number) <= event.timestamp < day(number + 1)]) for number in range(4)
    ]
    assert (await forced(log), await log.admin.fetchval("select count(*) from quarantines")) == ([], 0)
    await check(log, kept, EVENTS, EVENTS)


async def test_the_schema_goes_no_step_down_while_one_is_in_force(log: Sharded, kept: KeptHours) -> None:
    await put(log, kept)
    while await version(log.url) > STEP:
        await rollback(log.url, force=True)
    with pytest.raises(Exception, match="quarantines are in force"):
        await rollback(log.url, force=True)
    assert await version(log.url) == STEP
    await log.admin.execute("delete from quarantined_days")
    await rollback(log.url, force=True)
    # Amendments of a kind that the release before does not know stay, because they are links of the chain.
    assert {row["kind"] for row in await log.admin.fetch("select kind from amendments")} == {"quarantine"}
    await migrate(log.url)
