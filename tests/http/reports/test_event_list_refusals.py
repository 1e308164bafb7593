"""Parameters and cursors that the list of events refuses."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import datetime
from urllib.parse import quote

import httpx
import pytest

from tests.http.support.listed import LIST
from tests.http.support.site import refused, text_of


@pytest.mark.parametrize("hours", ["0", "8785", "-1", "+1", "1.5", "abc", "", "1e2", "٢٤", "9" * 5000, " 1"])
@pytest.mark.parametrize("path", [LIST, "/api/analytics/rollups"])
def test_hours_are_a_whole_number_from_1_to_8784(client: httpx.Client, path: str, hours: str) -> None:
    message = refused(client.get(path, params={"hours": hours}), 400, "invalid_parameter", "hours")
    assert "8784" in message


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "abc", ""])
def test_a_limit_is_a_whole_number_from_1_to_1000(client: httpx.Client, limit: str) -> None:
    refused(client.get(LIST, params={"limit": limit}), 400, "invalid_parameter", "limit")


@pytest.mark.parametrize("name", ["demo_mode", "total"])
@pytest.mark.parametrize("value", ["2", "yes", "", "null"])
def test_a_switch_is_on_or_off(client: httpx.Client, name: str, value: str) -> None:
    refused(client.get(LIST, params={name: value}), 400, "invalid_parameter", name)


@pytest.mark.parametrize("name", ["hour", "event", "fill", "key", "__proto__", "sessionId"])
def test_an_unknown_parameter_is_refused_by_name(client: httpx.Client, name: str) -> None:
    refused(client.get(LIST, params={name: "1"}), 400, "unknown_parameter", name)


def test_an_unknown_parameter_is_not_repeated_at_length(client: httpx.Client) -> None:
    refused(client.get(LIST, params={"x" * 5000: "1"}), 400, "unknown_parameter", "x" * 40)


def test_a_parameter_that_is_given_twice_is_refused(client: httpx.Client) -> None:
    refused(client.get(f"{LIST}?hours=1&hours=2"), 400, "invalid_parameter", "hours")


@pytest.mark.parametrize("query", ["event_type=%ff", "event_type=%ed%a0%80", "%ff=1"])
def test_a_query_that_is_no_utf_8_is_refused(client: httpx.Client, query: str) -> None:
    refused(client.get(f"{LIST}?{query}"), 400, "malformed")


def test_a_filter_cannot_hold_what_no_event_can(client: httpx.Client) -> None:
    refused(client.get(f"{LIST}?event_type=a%00b"), 400, "invalid_parameter", "event_type")


def test_a_filter_is_a_value_and_nothing_else(client: httpx.Client) -> None:
    for value in ("' or true --", "%", "_", "x" * 5000, "\\", "$1"):
        assert client.get(f"{LIST}?event_type={quote(value)}").json()["count"] == 0


def forged(*cursor: object) -> str:
    return urlsafe_b64encode(json.dumps(cursor).encode()).decode()


MOMENT = text_of(datetime.fromisoformat("2025-10-18T01:00:00Z"))


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "ü",
        "=",
        forged(),
        forged(1, 2, 3, 4),
        forged(MOMENT, MOMENT, "e", 2**31),
        forged(MOMENT, MOMENT, "e", -1),
        forged(MOMENT, MOMENT, "\0", 0),
        forged(MOMENT, MOMENT, "x" * 129, 0),
        forged(MOMENT[:-1], MOMENT, "e", 0),
        forged(MOMENT, MOMENT, "e", 0, 1),
        forged(MOMENT, MOMENT, "e", "0; drop table events"),
        urlsafe_b64encode(b"\xff\xfe").decode(),
    ],
)
def test_a_cursor_of_ones_own_making_is_refused(client: httpx.Client, cursor: str) -> None:
    refused(client.get(LIST, params={"cursor": cursor}), 400, "invalid_parameter", "cursor")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_a_cursor_at_the_ends_of_the_calendar_is_no_fault(client: httpx.Client, moment: str) -> None:
    assert client.get(LIST, params={"cursor": forged(moment, moment, "e", 0)}).status_code in (200, 400)
