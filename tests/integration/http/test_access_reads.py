"""Requests that anyone may send do not delay the end of a revoked key."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from service.access.key_changes import create_key, revoke_key
from service.access.keys import Kind
from service.app import Service
from service.settings import load
from sql.database import Database

# The pool of the checks gives up after 5 s.
SOON = 3


async def test_checks_that_hold_their_connections_delay_no_revocation(database: Database, database_url: str) -> None:
    key = await create_key(database, Kind.READ, 0)
    service = Service(load({"DATABASE_URL": database_url}))
    async with AsyncExitStack() as held:
        held.push_async_callback(service.work.close)
        for each in (service.log, service.access, service.looking, service.database):
            held.push_async_callback(each.close)
        await service.sites.look()
        for _ in range(2):
            await held.enter_async_context(service.looking.transaction())
        await revoke_key(database, key[:12])
        assert await asyncio.wait_for(service.sites.look(), SOON)
        found = service.sites.keys.found(key)
        assert found is not None
        assert found.revoked
