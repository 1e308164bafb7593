"""An acked event is on disk, whatever the server's default for `synchronous_commit`."""

from __future__ import annotations

import asyncpg
import pytest

from sql.database import Database
from tests.support.log import an_event, append

# The end of the server's write-ahead log, and how much of it is on disk.
WRITTEN = "select pg_current_wal_insert_lsn()::text"
ON_DISK = "select pg_current_wal_flush_lsn() >= $1::text::pg_lsn"


@pytest.mark.parametrize("default", ["off", "local", "on"])
async def test_an_append_is_on_disk_when_it_is_answered(
    database: Database, admin: asyncpg.Connection[asyncpg.Record], default: str
) -> None:
    name = await admin.fetchval("select quote_ident(current_database())")
    await admin.execute(f"alter database {name} set synchronous_commit = {default}")
    assert (await database.only("select current_setting('synchronous_commit') as value"))["value"] == default
    for number in range(20):
        # The append's commit comes after this point, so the log is on disk past it once the commit is.
        before = await admin.fetchval(WRITTEN)
        assert await append(database, [an_event(number)]) == {}
        assert await admin.fetchval(ON_DISK, before)
