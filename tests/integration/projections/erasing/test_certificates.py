"""A certificate is not lost, and tells all runs of its erasure; what waits is not back; tombstones outlast imports."""

from __future__ import annotations

from typing import Any

import pytest

from projections.erasing.certificate import complete
from projections.erasing.checking import chain_breaks, what_is_wrong
from tests.conftest import RETENTION_DAYS
from tests.support.erasing import KEY, begun, erase_from, no_file, user, work_on
from tests.support.history import Past, date_of, history_of
from tests.support.retired_days import EVENTS, of_day, past

SAVED = """
insert into segments (site, name, filters) values (0, 'mine', '{"user_id": "u1"}');
insert into goals (site, name, definition)
values (0, 'theirs', '{"where": "user_id = u1"}'), (0, 'all', '{"path": "/"}');
insert into share_links (prefix, digest, site, hours, filters, expires_at)
values ('hll_00000001', sha256('1'), 0, 24, '{"user_id": "u1"}', 'infinity')
"""
BURIED = "select bury_events(erasure, 0, $1) from erasures"
SEALED_SINCE = "update shard_totals set rollups_since = $1"
pytestmark = [
    pytest.mark.versions("newest"),
    pytest.mark.parametrize("sharded", [1], indirect=True, ids=["1 shard"]),
]


async def test_a_certificate_that_cannot_be_written_is_not_lost(past_days: Past) -> None:
    def full(_: dict[str, Any]) -> None:
        raise OSError("no space left on device")

    database = past_days.log.database
    outcome = await begun(work_on(past_days, user("u1"), vacuums=False))
    with pytest.raises(OSError, match="no space"):
        await complete(database, outcome, full)
    assert await past_days.log.admin.fetchval("select completed_at from erasures") is None
    certificate = await complete(database, outcome, no_file)
    assert certificate["hours"]
    assert await chain_breaks(database) == []
    assert await what_is_wrong(database, past_days.archive, certificate, KEY) == []


async def test_what_an_earlier_run_deleted_is_told_and_what_waits_is_not_back(past_days: Past) -> None:
    admin, database = past_days.log.admin, past_days.log.database
    await admin.execute(SAVED)
    damaged = next(event for event in of_day(9, EVENTS) if event.user_id == "u1")
    await admin.execute("update events set action = 'x' where event_id = $1", damaged.event_id)
    outcome = await begun(work_on(past_days, user("u1"), vacuums=False))
    assert date_of(9).isoformat() in outcome.waits
    assert await admin.fetchval("select count(*) from segments") == 0
    # As when a run ends between its two transactions of a day.
    await admin.execute(BURIED, date_of(9))
    assert await chain_breaks(database) == []
    await admin.execute("update events set action = null where event_id = $1", damaged.event_id)
    certificate = await erase_from(past_days, user("u1"), vacuums=False)
    assert (certificate["segments"], certificate["goals"], certificate["share_links"]) == (1, 1, 1)
    assert await admin.fetchval("select array_agg(name) from goals") == ["all"]


async def test_tombstones_stay_while_history_can_open_the_day(past_days: Past) -> None:
    """All events of a day are one person's, and only its rollups are kept."""
    days, admin = past_days, past_days.log.admin
    await days.keep_for(RETENTION_DAYS)
    mine = [event._replace(user_id="me", session_id="mine") for event in history_of(4)]
    assert await days.bring_in(4, mine) == {}
    await erase_from(days, user("me"), vacuums=False)
    await days.drop_tables()
    state = "select state from history_day($1, $2)"
    assert await admin.fetchval(state, date_of(4), past(4)) == "new"
    forget, buried = days.log.database.statements.forget_tombstones, "select count(*) from erased_days where day = $1"
    await days.log.database.rows(forget)
    assert await admin.fetchval(buried, date_of(4)) == 1
    assert set((await days.bring_in(4, mine)).values()) == {"duplicate"}
    await days.drop_tables()
    await admin.execute(SEALED_SINCE, past(4))
    await days.log.database.rows(forget)
    assert await admin.fetchval(buried, date_of(4)) == 0
