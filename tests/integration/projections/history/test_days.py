"""Days before the horizon take history: days in the log, days that only the archive has, and new ones."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.support.history import Past, date_of, history_of, hours_of
from tests.support.retired_days import EVENTS, SEALS, day, of_day

AMENDMENTS = "select * from amendments order by shard, sequence"
KEPT = "select array_agg(day order by day) from archived_days where stage = 'kept'"


async def test_a_day_in_the_log_takes_history(past_days: Past) -> None:
    new = history_of(1)
    again = of_day(1, EVENTS)[:3]
    assert await past_days.history.open(date_of(1), "a test", "me") is None
    taken = await past_days.append(1, [*new, *again])
    assert taken == {event.event_id: "duplicate" for event in again}
    before_closing = await past_days.rows(1)
    await past_days.history.close(date_of(1))
    assert await past_days.rows(1) == []
    assert await past_days.in_files(1) == before_closing
    assert await past_days.log.admin.fetchval(KEPT) == [date_of(1)]
    await past_days.check()
    amendments = await past_days.log.admin.fetch(AMENDMENTS)
    assert {row["shard"] for row in amendments} == {past_days.log.shard_of(event.session_id) for event in new}
    assert {(row["day"], row["kind"], row["reason"], row["asked_by"]) for row in amendments} == {
        (date_of(1), "history", "a test", "me")
    }
    for row in amendments:
        of_shard = [past_days.log.of_shard(row["shard"], some) for some in (of_day(1, EVENTS), new)]
        assert claims(row["hours"]) == {
            f"{hour:%Y-%m-%dT%H:%MZ}": tuple(
                len([event for some in of_shard[:known] for event in some if hour in hours_of([event])])
                for known in (1, 2)
            )
            for hour in hours_of(of_shard[1])
        }


def claims(hours: str) -> dict[str, tuple[int, int]]:
    """Return the numbers of events before and after, by hour."""
    return {each["hour"]: (each["before"]["events"], each["after"]["events"]) for each in json.loads(hours)}


async def test_a_day_that_only_the_archive_has_takes_history(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.bring_in(2, history_of(2))
    await past_days.drop_tables()
    await past_days.check()
    kept = await past_days.in_files(0)
    seals = await past_days.log.admin.fetch(SEALS)
    assert await past_days.history.open(date_of(0), "a test", "me") is None
    assert await past_days.rows(0) == kept
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []
    more = history_of(0, seed=1)
    assert await past_days.append(0, [*more, *history_of(0)]) == {
        event.event_id: "duplicate" for event in history_of(0)
    }
    assert [proof for proof in await past_days.proofs() if proof.state not in {"verified", "sealed"}] == []
    await past_days.history.close(date_of(0))
    await past_days.check()
    await past_days.drop_tables()
    await past_days.check()
    assert len(await past_days.in_files(0)) == len(kept) + len(more)
    later = await past_days.log.admin.fetch(SEALS)
    assert {tuple(seal) for seal in seals} < {tuple(seal) for seal in later}  # superseded seals stay


async def test_what_is_there_already_changes_nothing(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    links = [await past_days.log.admin.fetch(query) for query in (SEALS, AMENDMENTS)]
    files = await past_days.in_files(0)
    assert set((await past_days.bring_in(0, history_of(0))).values()) == {"duplicate"}
    assert [await past_days.log.admin.fetch(query) for query in (SEALS, AMENDMENTS)] == links
    assert await past_days.in_files(0) == files
    await past_days.check()


@pytest.mark.parametrize("event_days", [1_000, 7], ids=["raw events are kept", "only rollups are kept"])
async def test_a_day_that_never_was_takes_history(past_days: Past, event_days: int) -> None:
    await past_days.keep_for(event_days)
    for number in (-20, -3, 4):
        await past_days.bring_in(number, history_of(number))
    await past_days.check()
    keeps = [date_of(number) for number in (-20, -3, 4)] if event_days == 1_000 else None
    assert await past_days.log.admin.fetchval(KEPT) == keeps
    before = {each for row in await past_days.log.admin.fetch(AMENDMENTS) for each in claims(row["hours"]).values()}
    assert {events for events, _ in before} == {0}
    await past_days.drop_tables()
    await past_days.check()
    why = await past_days.history.open(date_of(-3), "a test", "me")
    assert why == (None if event_days == 1_000 else "events of that time are gone for good")
    if why is None:
        await past_days.history.close(date_of(-3))
    await past_days.check()


async def test_days_that_cannot_take_history(past_days: Past) -> None:
    await past_days.keep_for(10, rollup_days=30)
    assert (
        await past_days.history.open(date_of(-20), "a test", "me")
        == "rollups of that time are past their retention of 30 days"
    )
    await past_days.keep_for(1_000)
    await past_days.log.admin.execute("update shard_totals set rollups_since = $1 where shard = 0", day(-10))
    assert await past_days.history.open(date_of(-11), "a test", "me") == f"rollups before {date_of(-10)} were deleted"
    await past_days.bring_in(0, history_of(0))
    moved = [event._replace(timestamp=event.timestamp + timedelta(days=1)) for event in history_of(0)]
    assert await past_days.history.open(date_of(0), "a test", "me") is None
    assert set((await past_days.append(0, moved)).values()) == {"future"}
    assert set((await past_days.append(-1, history_of(-1))).values()) == {"expired"}
    await past_days.history.close(date_of(0))
    assert set((await past_days.append(0, history_of(0, seed=3))).values()) == {"expired"}
    await past_days.check()


async def test_a_day_that_cannot_be_restored_is_named_and_stays_as_it_is(past_days: Past) -> None:
    await past_days.bring_in(0, history_of(0))
    await past_days.drop_tables()
    (file, *_) = sorted(past_days.archive.rglob("*.parquet"))
    moved = file.rename(file.with_suffix(".away"))
    why = await past_days.history.open(date_of(0), "a test", "me")
    assert why == f"archive file {file.relative_to(past_days.archive)}: it is missing"
    moved.rename(file)
    await past_days.log.admin.execute("update hour_seals set digest_low = digest_low + 1 where sequence = 2")
    why = await past_days.history.open(date_of(0), "a test", "me")
    assert why is not None
    assert "events in the archive, and other" in why
    assert await past_days.log.admin.fetchval(KEPT) == [date_of(0)]
    await past_days.log.admin.execute("update hour_seals set digest_low = digest_low - 1 where sequence = 2")
    assert await past_days.history.left() == []
    await past_days.check()


async def test_a_day_in_the_log_that_is_damaged_is_named_and_stays_as_it_is(past_days: Past) -> None:
    await past_days.log.admin.execute("delete from events where event_id = $1", of_day(1, EVENTS)[0].event_id)
    why = await past_days.history.open(date_of(1), "a test", "me")
    assert why is not None
    assert why.endswith("is damaged; see make verify")
    assert await past_days.history.left() == []
