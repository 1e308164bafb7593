"""Ranges and hours that cannot be, or just can."""

from __future__ import annotations

import httpx
import pytest

from tests.http.support.paths import ROLLUPS
from tests.http.support.site import refused


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("from=2025-10-18T01:00Z", "to"),
        ("to=2025-10-18T01:00Z", "from"),
        ("from=2025-10-18T01:00Z&to=2025-10-18T01:00Z", "to"),
        ("from=2025-10-18T02:00Z&to=2025-10-18T01:00Z", "to"),
        ("from=2025-10-18T01:20Z&to=2025-10-18T03:00Z", "from"),
        ("from=2025-10-18T01:00Z&to=2025-10-18T03:00:00.000001Z", "to"),
        ("from=2025-10-18T01:00%2B00:20&to=2025-10-18T03:00Z", "from"),
        ("from=2024-10-17T01:00Z&to=2025-10-18T02:00Z", "to"),
        ("from=yesterday&to=2025-10-18T01:00Z", "from"),
        ("from=&to=2025-10-18T01:00Z", "from"),
        ("from=2025-10-18T01:00Z&to=9999-12-31T23:00Z", "to"),
        ("from=2025-10-18T01:00Z&to=2025-10-18T02:00Z&hours=1", "hours"),
        ("fill=2", "fill"),
    ],
)
def test_a_range_that_cannot_be_is_refused_by_name(client: httpx.Client, query: str, name: str) -> None:
    refused(client.get(f"{ROLLUPS}?{query}"), 400, "invalid_parameter", name)


def test_a_range_may_be_a_leap_year_long(client: httpx.Client) -> None:
    answer = client.get(f"{ROLLUPS}?from=2024-10-17T02:00Z&to=2025-10-18T02:00Z&fill=1").json()
    assert (answer["count"], answer["hours"], answer["total_events"]) == (8784, 8784, 0)


@pytest.mark.parametrize("name", ["hour", "limit", "session_id", "total"])
def test_an_unknown_parameter_is_refused_by_name(client: httpx.Client, name: str) -> None:
    refused(client.get(ROLLUPS, params={name: "1"}), 400, "unknown_parameter", name)


@pytest.mark.parametrize(
    "hour",
    ["abc", "2025-10-18T01:30Z", "9999-12-31T23:00Z", "0001-01-01T00:00+01:00", "%00", "%ff", "2025-10-18T24:00Z"],
)
def test_what_is_no_hour_is_refused(client: httpx.Client, hour: str) -> None:
    refused(client.get(f"{ROLLUPS}/{hour}"), 400, "invalid_parameter", "hour")


def test_the_first_hour_of_the_calendar_is_an_hour_like_any_other(client: httpx.Client) -> None:
    assert client.get(f"{ROLLUPS}/0001-01-01T00:00Z").json()["rollup"]["hour"] == "0001-01-01T00:00:00.000Z"
