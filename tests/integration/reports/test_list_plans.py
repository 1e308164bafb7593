"""Lists and timelines read only the rows that they need, before the tables are analyzed and after."""

from __future__ import annotations

import asyncpg
import pytest

from sql.database import Database
from tests.support.busy_log import BUSY, DAY, FIRST, busy_events, fill, rows_read, within

INDEXES = {
    "session": "session_id_idx",
    "user": "user_id_event_type_idx",
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_timelines_read_what_is_of_their_session_or_user(
    database: Database, admin: asyncpg.Connection, *, analyzed: bool
) -> None:
    events = [*busy_events(), *await fill(database, admin, analyzed=analyzed)]
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


async def test_a_page_of_all_events_reads_a_page(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database, admin, analyzed=True)
    query = database.statements.list_events
    arguments = ([0], FIRST, 101, BUSY, "", 0)
    for _ in range(8):
        assert len(await admin.fetch(query, *arguments)) == 101
    within(await rows_read(admin, query, *arguments), {("events", "pkey"): 101})
