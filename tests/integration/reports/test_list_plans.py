"""Lists and timelines read only the rows that they need, before the tables are analyzed and after."""

from __future__ import annotations

import asyncpg
import pytest

from service.questions.filters import NOTHING
from sql.database import Database
from tests.support.busy_log import BUSY, DAY, END, EVENTS, FIRST, LISTS, busy_events, fill, rows_read, within
from tests.support.log import an_event, append

INDEXES = {
    "session": "session_id_idx",
    "user": "user_id_event_type_idx",
    "tool": "tool_name_timestamp_idx",
    "type": "event_type_timestamp_idx",
}


@pytest.mark.parametrize("analyzed", [False, True], ids=["not analyzed", "analyzed"])
async def test_lists_read_what_they_name(
    database: Database, admin: asyncpg.Connection, subtests: pytest.Subtests, *, analyzed: bool
) -> None:
    rare = an_event(EVENTS, at=BUSY, session="s7", kind="kind_rare", tool="Rare")._replace(user_id="u7")
    await append(database, [rare])
    await fill(database, admin, analyzed=analyzed)
    since, end = FIRST, END
    for lead, filters in LISTS.items():
        with subtests.test(lead):
            listing, counting = (
                getattr(database.statements, f"{name}_of_{lead}") for name in ("list_events", "count_matching")
            )
            page = (since, 1_001, end, "", 0, filters.document())
            # Execute it often enough that PostgreSQL may switch to a generic plan.
            for _ in range(8):
                await admin.fetch(listing, *page)
                await admin.fetch(counting, since, end, filters.document())
            total = await admin.fetchval(counting, since, end, filters.document())
            assert 0 < total == len(await admin.fetch(listing, *page)) < 100
            allowed = {("events", INDEXES[lead]): total}
            within(await rows_read(admin, listing, *page), allowed)
            within(await rows_read(admin, counting, since, end, filters.document()), allowed)


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
        (of_session, "session", statements.read_session, "s7", FIRST, until, 100),
        (of_session, "session", statements.list_session, "s7", FIRST, until, 1_001, *place),
        (of_user, "user", statements.read_user, "u7", FIRST, until, 100),
    ):
        # Execute it often enough that PostgreSQL may switch to a generic plan.
        for _ in range(8):
            await admin.fetch(query, *arguments)
        within(await rows_read(admin, query, *arguments), {("events", INDEXES[index]): most})


async def test_a_page_of_all_events_reads_a_page(database: Database, admin: asyncpg.Connection) -> None:
    await fill(database, admin, analyzed=True)
    query = database.statements.list_events
    arguments = (FIRST, 101, BUSY, "", 0, NOTHING.document())
    for _ in range(8):
        assert len(await admin.fetch(query, *arguments)) == 101
    within(await rows_read(admin, query, *arguments), {("events", "pkey"): 101})
