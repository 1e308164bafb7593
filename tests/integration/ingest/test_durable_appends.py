"""An acked event is on disk, whatever the server's default for commits is."""

from __future__ import annotations

import asyncpg
import pytest

from sql.database import Database
from tests.support.log import an_event, append

# Where the log of the server ends just now, and how far it is on disk.
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
        # Its commit lies behind this, so all before it is on disk when the commit is.
        before = await admin.fetchval(WRITTEN)
        assert await append(database, [an_event(number)]) == {}
        assert await admin.fetchval(ON_DISK, before)
