"""A condition on the time leaves the rest of the tables unread."""

from __future__ import annotations

import json
from typing import Any

from projections.projector import catch_up
from tests.support.busy_log import FIRST
from tests.support.retired_days import DAY
from tests.support.sharded import Sharded

# Prefixes of the large tables whose scans are counted.
SCANNED = ("hourly_counts", "hourly_edges", "hourly_members", "events_")
PRUNED = (
    "select sum(total_events), sum(unique_sessions), max(updated_at) from bi.hourly_rollups where hour >= {since}",
    "select * from bi.hourly_rollups where hour = {since}",
    "select * from bi.daily where day >= ({since})::date",
    "select events from bi.daily where day = ({since})::date",
    "select count(*) from bi.events where timestamp >= {since}",
)


def rows_read(plan: dict[str, Any]) -> int:
    """Return how many rows of large tables the scans of a plan read."""
    found = sum(rows_read(part) for part in plan.get("Plans", []))
    if plan.get("Relation Name", "").startswith(SCANNED):
        removed = sum(plan.get(f"Rows Removed by {what}", 0) for what in ("Filter", "Index Recheck"))
        found += round((plan["Actual Rows"] + removed) * plan["Actual Loops"])
    return found


async def test_a_condition_on_the_time_leaves_the_rest_unread(busy: Sharded) -> None:
    admin = busy.admin
    await catch_up(busy.database)
    # The planner would read such small tables whole; the test asks what an index can skip. Three days have events.
    await admin.execute("set enable_seqscan = off")
    since = f"timestamptz '{FIRST + 2 * DAY}'"
    for query in PRUNED:
        some, everything = [
            rows_read(json.loads(await admin.fetchval(f"explain (analyze, format json) {asked}"))[0]["Plan"])
            for asked in (query.format(since=since), query.partition(" where")[0])
        ]
        assert 0 < some < everything * 0.4, query
