"""When a part of a batch cannot be made durable, the answer names it, and resending that part is enough."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest_asyncio

from service.ingest.append_queue import shard_of
from tests.conftest import Servers
from tests.http.support.site import Json, Site, an_event, new_site, unique
from tests.support.waiting import is_ok, wait_until

SHARDS = 8
# Makes one shard fail as if the server had no memory; such an error may pass by itself.
FILL = """
create function refuse_shard() returns trigger language plpgsql as $$
begin
    if new.shard = {shard} then
        raise exception 'out of memory' using errcode = 'out_of_memory';
    end if;
    return new;
end
$$
"""
BEGIN_TO_REFUSE = "create trigger refuse before insert on events for each row execute function refuse_shard()"
STOP_REFUSING = ("drop trigger refuse on events", "drop function refuse_shard")


@pytest_asyncio.fixture(scope="module")
async def eight(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    async with new_site(servers, folder, empty=True, HOURLEDGER_SHARDS=str(SHARDS)) as site:
        yield site
        site.check_log()


@contextmanager
def full(site: Site, shard: int) -> Any:
    """Make every append to one shard fail during the block."""
    alter(site, FILL.format(shard=shard), BEGIN_TO_REFUSE)
    try:
        yield
    finally:
        alter(site, *STOP_REFUSING)


def alter(site: Site, *statements: str) -> None:
    """Run statements, again after a deadlock with a verification, which locks a day before the log."""
    for statement in statements:
        for tried in range(5):
            try:
                site.rows(statement)
                break
            except asyncpg.DeadlockDetectedError:
                if tried == 4:
                    raise


def test_a_shard_that_cannot_commit_costs_only_its_own_events(eight: Site) -> None:
    run = unique("run")
    events = [an_event(event_id=f"{run}-{n}", session_id=f"{run}-{n}") for n in range(200)]
    events[50] |= {"extra": 1}
    shards = [shard_of(event["session_id"], SHARDS) for event in events]
    assert set(shards) == set(range(SHARDS))
    closed = shards[0]
    lost = [n for n, shard in enumerate(shards) if shard == closed and n != 50]
    with full(eight, closed):
        answer = eight.client.post("/e/batch", json=events)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    body: Json = answer.json()
    assert (body["ok"], body["count"], body["duplicates"]) == (False, 200, 0)
    assert (body["stored"], body["rejected"]) == (199 - len(lost), len(lost) + 1)
    assert body["event_ids"] == [None if n == 50 else event["event_id"] for n, event in enumerate(events)]
    assert [(error["index"], error["code"]) for error in body["errors"]] == [
        (n, "unavailable" if n in lost else "unknown_field") for n in sorted([50, *lost])
    ]
    stored = {row["event_id"] for row in eight.rows("select event_id from events")}
    assert stored == {event["event_id"] for n, event in enumerate(events) if n not in lost and n != 50}

    wait_until(lambda: eight.client.post("/e", json=events[lost[0]]), "the shard takes events again", holds=is_ok)
    again = eight.send(*(event for n, event in enumerate(events) if n != 50))
    assert (again["stored"], again["duplicates"]) == (len(lost) - 1, 200 - len(lost))
    assert len(eight.rows("select event_id from events")) == 199
    wait_until(
        eight.readiness, "all is well", holds=lambda told: told == {"ok": True, "status": "ready", "lag_events": 0}
    )


def test_one_event_of_a_shard_that_cannot_commit_is_told_to_come_again(eight: Site) -> None:
    event = an_event(event_id=unique("e"), session_id=unique("s"))
    shard = shard_of(event["session_id"], SHARDS)
    names = (unique("s") for _ in iter(int, 1))
    other = an_event(session_id=next(name for name in names if shard_of(name, SHARDS) != shard))
    with full(eight, shard):
        answer = eight.client.post("/e", json=event)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0
        assert eight.client.post("/e", json=other).status_code == 200
    wait_until(lambda: eight.client.post("/e", json=event), "the shard takes events again", holds=is_ok)
    assert len(eight.listed(session_id=event["session_id"])) == 1
