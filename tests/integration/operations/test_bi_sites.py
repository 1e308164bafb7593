"""The views of the schema bi keep sites apart that share the ids of sessions, users and events."""

from __future__ import annotations

from collections import Counter

import asyncpg
import pytest

from projections.projector import catch_up
from service.access.site_changes import add_site
from service.ingest.event import Event
from sql.database import Database
from tests.support import oracle
from tests.support.log import append
from tests.support.oracle import HOUR, start_of
from tests.support.projection import proofs, random_events

VIEWS = {
    "hourly_rollups": "select hour, site, total_events from bi.hourly_rollups",
    "daily": "select day, site, events from bi.daily",
    "sessions": "select session_id, site, events from bi.sessions",
    "users": "select user_id, site, events from bi.users",
    "proofs": "select hour, site, events from bi.proofs",
    "events": "select event_id, site, count(*) from bi.events group by event_id, site",
}
DISTINCT = "select day, site, sessions, users, visitors from bi.daily"


def counted(view: str, events: list[Event]) -> Counter[object]:
    """Return how many events each row of a view stands for."""
    match view:
        case "hourly_rollups" | "proofs":
            return Counter(start_of(event.timestamp, HOUR) for event in events)
        case "daily":
            return Counter(event.timestamp.date() for event in events)
        case "sessions":
            return Counter(event.session_id for event in events)
        case "users":
            return Counter(event.user_id for event in events if event.user_id is not None)
    return Counter(event.event_id for event in events)


@pytest.mark.parametrize("folded", [False, True], ids=["tail", "folded"])
async def test_views_keep_sites_apart(database: Database, admin: asyncpg.Connection, *, folded: bool) -> None:
    blog = await add_site(database, "blog", shards=2)
    logs = {"default": oracle.Log(), "blog": oracle.Log()}
    for name, shards, seed in (("default", (0,), 1), ("blog", blog.shards, 2)):
        for place, shard in enumerate(shards):
            # A session is in one shard of a site.
            some = [e for e in random_events(seed, 80, hours=3) if int(e.session_id[1:]) % len(shards) == place]
            assert await append(database, some, shard=shard) == logs[name].append(some)
    if folded:
        await catch_up(database)
        await proofs(database)
    for view, query in VIEWS.items():
        found = {(row[0], row["site"]): row[2] for row in await admin.fetch(query)}
        assert found == {
            (key, name): number for name, log in logs.items() for key, number in counted(view, log.events).items()
        }, view
    for day, site, sessions, users, visitors in await admin.fetch(DISTINCT):
        of_day = [event for event in logs[site].events if event.timestamp.date() == day]
        assert sessions == len({event.session_id for event in of_day})
        assert users == len({event.user_id for event in of_day} - {None})
        identified = {event.session_id for event in of_day if event.user_id is not None}
        assert visitors == users + sessions - len(identified)
