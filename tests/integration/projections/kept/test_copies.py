"""Copies that are kept elsewhere are compared with the files of kept days, too."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from projections.archive.kept_hours import KeptHours, NotChecked
from projections.hours import Hour
from projections.log_heads import LogHead, NewestEvent, changed_hours, log_heads, losses, witnessed
from projections.verify import verify
from sql.digest import digest_text
from sql.hourly import DAMAGED, SEALED
from tests.support.retired_days import day
from tests.support.sharded import Sharded

KNOWN = """
select position, timestamp, encode(event_digest(
    event_id, session_id, user_id, event_type, tool_name, action, properties, demo_mode, timestamp
), 'hex') as digest
from {} where timestamp < $1 order by position desc limit 1
"""


async def of_day(log: Sharded, number: int) -> LogHead:
    """Return a copy of the log's head from when the newest event was one of a kept day."""
    (head,) = await log_heads(log.database)
    table = await log.admin.fetchval("select day_partition($1)", day(number).date())
    row = await log.admin.fetchrow(KNOWN.format(table), day(number + 1))
    assert row is not None
    hours = await log.database.rows(log.database.statements.list_appended, 0, None)
    known = {each["hour"]: (each["events"], digest_text(each["digest_high"], each["digest_low"])) for each in hours}
    newest = NewestEvent(row["position"], row["timestamp"], row["digest"])
    return msgspec.structs.replace(head, newest=newest, hours=known)


async def test_the_newest_event_of_a_copy_is_looked_up_in_the_file(
    log: Sharded, archive: Path, kept: KeptHours
) -> None:
    head = await of_day(log, 1)
    assert head.newest is not None
    assert await losses(log.database, [head], kept) == []
    other = msgspec.structs.replace(head.newest, digest="0" * 64)
    before = msgspec.structs.replace(head.newest, position=head.newest.position - 1)
    for wrong in (other, before):
        (loss,) = await losses(log.database, [msgspec.structs.replace(head, newest=wrong)], kept)
        assert (loss.field, loss.known) == ("newest", wrong.position)
    with pytest.raises(NotChecked):
        await losses(log.database, [head])
    file = await log.admin.fetchval("select file from archive_hours where hour = $1", day(1))
    (archive / file).unlink()
    (loss,) = await losses(log.database, [head], kept)
    assert loss.field == "newest"


async def test_hours_of_a_copy_are_counted_in_the_file_up_to_its_position(log: Sharded, kept: KeptHours) -> None:
    """A copy knows less of an hour than the file when events came since, and more when events were lost."""
    head = await of_day(log, 1)
    assert await changed_hours(log.database, [head]) == []
    table = await log.admin.fetchval("select day_partition($1)", day(1).date())
    first = await log.admin.fetchval(f"select min(position) from {table} where timestamp < $1", day(1).replace(hour=1))  # noqa: S608
    one = await log.admin.fetchrow(
        f"select encode(event_digest(event_id, session_id, user_id, event_type, tool_name, action, properties,"  # noqa: S608
        f" demo_mode, timestamp), 'hex') as digest, received_at from {table} where position = $1",
        first,
    )
    assert one is not None

    def knowing(events: int, digest: str) -> LogHead:
        return msgspec.structs.replace(
            head, at=one["received_at"], position=first, newest=None, hours={day(1): (events, digest)}
        )

    for known, state in ((knowing(1, one["digest"][:32]), SEALED), (knowing(1, "0" * 32), DAMAGED)):
        hours: list[Hour] = await witnessed(log.database, [known], [])
        assert [(proof.state) async for proof in verify(log.database, hours, kept)] == [state]
