"""Each panel of the Grafana dashboard shows what it says."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

from tests.support.bi import LATE, OLD, days_of, hours_of, reading
from tests.support.oracle import HOUR
from tests.support.retired_days import day
from tests.support.sharded import Sharded

DASHBOARD = Path(__file__).parents[3] / "docs/grafana-dashboard.json"
# Grafana's macros and the SQL that replaces them: https://grafana.com/docs/grafana/latest/datasources/postgres/
MACROS = (
    (r"\$__timeFilter\(([\w.]+)\)", r"\1 between '{since}' and '{until}'"),
    (r"\$__timeFrom\(\)", "'{since}'"),
    (r"\$__timeTo\(\)", "'{until}'"),
)


async def test_each_panel_of_the_grafana_dashboard_shows_what_it_says(aged: Sharded) -> None:
    panels = json.loads(DASHBOARD.read_text())["panels"]
    found = {}
    # Times in Grafana's format; `until` is the start of an hour, which Grafana's filter includes.
    times = {"since": f"{day(2):%Y-%m-%dT%H:%M:%SZ}", "until": f"{day(9) + 23 * HOUR:%Y-%m-%dT%H:%M:%SZ}"}
    async with reading(aged.url) as reader:
        for panel in panels:
            (target,) = panel["targets"]
            query = target["rawSql"]
            for macro, text in MACROS:
                query = re.sub(macro, text.format(**times), query)
            assert "$" not in query
            found[panel["title"]] = [tuple(row) for row in await reader.fetch(query)]
            columns = set(found and (await reader.fetch(query))[0].keys())
            assert (target["format"] == "time_series") == ("time" in columns)
    seen = [event for event in OLD + LATE if day(2) <= event.timestamp < day(10)]
    hourly, daily = sorted(hours_of(seen).items()), sorted(days_of(seen).items())
    tools = Counter(event.tool_name for event in seen if event.tool_name is not None)
    assert found["Events by hour"] == [(hour, row["total_events"]) for hour, row in hourly]
    assert found["Sessions by hour"] == [(hour, row["unique_sessions"]) for hour, row in hourly]
    assert [row[1:] for row in found["Users and visitors per day"]] == [
        (row["users"], row["visitors"]) for _, row in daily
    ]
    assert found["Top tools"] == sorted(tools.items(), key=lambda tool: (-tool[1], tool[0]))
    assert found["Risk modes"] == [
        (hour, mode, events) for hour, row in hourly for mode, events in sorted(row["risk_distribution"].items())
    ]
    assert sum(events for _, _, events in found["Proofs"]) == len(seen)
