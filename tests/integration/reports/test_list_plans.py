"""Lists and timelines read only the rows that they need, before the tables are analyzed and after."""

from __future__ import annotations

import pytest

from tests.support.busy_log import BUSY, DAY, FIRST, busy_events, rows_read, tail_events, within
from tests.support.sharded import Sharded

INDEXES = {
    "session": "session_id_idx",
    "user": "user_id_event_type_idx",
}


async def test_timelines_read_what_is_of_their_session_or_user(busy: Sharded) -> None:
    database, admin, events = busy.database, busy.admin, [*busy_events(), *tail_events()]
    statements = database.statements
    until, place = FIRST + 4 * DAY, (FIRST, "", 0)
    of_session = sum(event.session_id == "s7" for event in events)
    of_user = sum(event.user_id == "u7" for event in events)
    assert 0 < of_session < of_user < 100
    for most, index, query, *arguments in (
        (of_session, "session", statements.read_session, [0], "s7", FIRST, until, 100),
        (of_session, "session", statements.list_session, [0], "s7", FIRST, until, 1_001, *place),
        (of_user, "user", statements.list_user_sessions, [0], "u7", FIRST, until, 100),
        (of_user, "user", statements.list_user, [0], "u7", FIRST, 1_001, until, "", 0),
    ):
        # Execute it often enough that PostgreSQL may switch to a generic plan.
        for _ in range(8):
            await admin.fetch(query, *arguments)
        within(await rows_read(admin, query, *arguments), {("events", INDEXES[index]): most})


@pytest.mark.parametrize("busy", [True], indirect=True, ids=["analyzed"])
async def test_a_page_of_all_events_reads_a_page(busy: Sharded) -> None:
    admin, query = busy.admin, busy.database.statements.list_events
    arguments = ([0], FIRST, 101, BUSY, "", 0)
    for _ in range(8):
        assert len(await admin.fetch(query, *arguments)) == 101
    within(await rows_read(admin, query, *arguments), {("events", "pkey"): 101})
