"""Questions of the dashboard that are refused."""

from __future__ import annotations

import httpx
import pytest

from tests.http.support.paths import PROOFS, SUMMARY, TOP, TRENDS
from tests.http.support.site import Site, refused


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        (TRENDS, "metric=people", "metric"),
        (TRENDS, "metric=sum", "of"),
        (TRENDS, "metric=sum&of=revenue", "of"),
        (TRENDS, "metric=events&of=properties.revenue", "of"),
        (TRENDS, "metric=new_users&by=action", "metric"),
        (TRENDS, "metric=new_users&tool_name=Home", "metric"),
        (TRENDS, "metric=", "metric"),
        (TRENDS, "interval=minute&hours=7", "interval"),
        (TRENDS, "interval=minute&hours=1&metric=new_users", "interval"),
        (TRENDS, "interval=second", "interval"),
        (TRENDS, "interval=quarter&hours=8784&compare=previous", "interval"),
        (TRENDS, "compare=decade", "compare"),
        (TRENDS, "by=device", "by"),
        (TRENDS, "by=", "by"),
        (TRENDS, "by=action&metric=event_types", "by"),
        (TRENDS, "tz=Mars/Olympus", "tz"),
        (TRENDS, "tz=", "tz"),
        (TRENDS, "tz=Europe", "tz"),
        (TRENDS, "top=5", "top"),
        (TRENDS, "top=51&by=action", "top"),
        (TRENDS, "top=0&by=action", "top"),
        (TRENDS, "hours=8784&by=event_type&interval=hour", "interval"),
        (TRENDS, "hours=0", "hours"),
        (TRENDS, "hours=1&from=2025-10-18T01:00Z", "hours"),
        (TRENDS, "from=2025-10-18T01:20Z&to=2025-10-18T03:00Z", "from"),
        (TRENDS, "interval=day&from=9999-12-31T20:00Z&to=9999-12-31T21:00Z", "from"),
        (TRENDS, "interval=day&tz=America/New_York&from=0001-01-01T00:00Z&to=0001-01-02T00:00Z", "from"),
        (TRENDS, "compare=year&from=0001-01-01T00:00Z&to=0001-01-02T00:00Z", "from"),
        (SUMMARY, "compare=previous&from=0001-01-01T00:00Z&to=0001-01-02T00:00Z", "from"),
        (TRENDS, "demo_mode=maybe", "demo_mode"),
        (SUMMARY, "compare=yesterday", "compare"),
        (SUMMARY, "compare_from=2025-10-18T01:00Z", "compare_to"),
        (SUMMARY, "compare=week&compare_from=2025-10-18T01:00Z&compare_to=2025-10-18T02:00Z", "compare"),
        (TRENDS, "compare_from=2025-10-18T01:00Z&compare_to=2025-10-18T01:00Z", "compare_to"),
        (TRENDS, "interval=minute&hours=1&compare_from=2025-10-17T01:00Z&compare_to=2025-10-18T01:00Z", "interval"),
        (TRENDS, "range=tomorrow", "range"),
        (TOP, "range=today&hours=3", "range"),
        (TOP, "range=today&tz=Mars/Olympus", "tz"),
        (TOP, "range=this_week&week_start=friday", "week_start"),
        (SUMMARY, "interval=minute", "interval"),
        (SUMMARY, "interval=quarter&hours=2000", "interval"),
        (SUMMARY, "tz=UTC", "tz"),
        (SUMMARY, "interval=day&tz=Mars/Utopia", "tz"),
        (TOP, "by=properties", "by"),
        (TOP, "limit=1001", "limit"),
        (TOP, "metric=users", "metric"),
        (PROOFS, "hours=9000", "hours"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(client: httpx.Client, path: str, query: str, name: str) -> None:
    refused(client.get(f"{path}?{query}"), 400, "invalid_parameter", name)


@pytest.mark.parametrize("path", [TRENDS, SUMMARY, TOP, PROOFS, "/api/analytics/live"])
@pytest.mark.parametrize("name", ["fill", "session", "cursor"])
def test_an_unknown_parameter_is_refused_by_name(client: httpx.Client, path: str, name: str) -> None:
    refused(client.get(path, params={name: "1"}), 400, "unknown_parameter", name)


@pytest.mark.parametrize("path", [TRENDS, SUMMARY, TOP, PROOFS, "/api/analytics/live"])
def test_the_token_is_needed(guarded: Site, path: str) -> None:
    refused(guarded.client.get(path), 401, "unauthorized")
