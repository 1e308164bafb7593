"""Saved segments over HTTP, and conditions on every read that takes filters."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.http.support.site import Json, Site, an_event, refused, unique

SEGMENTS = "/api/analytics/segments"
READS = ("/api/analytics/summary", "/api/analytics/trends", "/api/analytics/top", "/api/analytics/track")


def save(client: httpx.Client, name: str, **filters: str) -> httpx.Response:
    return client.put(f"{SEGMENTS}/{name}", json={"filters": filters})


def events_of(site: Site, path: str, **query: str) -> int:
    answer = site.get(path, **query)
    if path.endswith("track"):
        return int(answer["total_in_range"])
    if path.endswith("top"):
        return int(answer["total"])
    if path.endswith("summary"):
        return int(answer["totals"]["events"])
    return sum(int(bucket["value"]) for bucket in answer["buckets"])


@pytest.mark.parametrize("path", READS)
def test_conditions_and_segments_filter_wherever_filters_are(site: Site, path: str) -> None:
    kind = unique("kind")
    sent = [{"plan": "pro", "seats": 3}, {"plan": "pro", "seats": 12}, {"plan": "free"}, None]
    site.send(
        *(
            an_event(event_type=kind, action="go", tool_name=f"T{number}", properties=properties)
            for number, properties in enumerate(sent)
        )
    )
    name = unique("segment")
    assert save(site.client, name, event_type=kind, where="properties.plan = pro").status_code == 200
    assert events_of(site, path, event_type=kind) == 4
    assert events_of(site, path, event_type=kind, where="properties.plan = pro and properties.seats > 9") == 1
    assert events_of(site, path, event_type=kind, where="properties.plan != pro") == 2
    assert events_of(site, path, event_type=kind, where="tool_name in (T0, T3)") == 2
    assert events_of(site, path, segment=name) == 2
    assert events_of(site, path, segment=name, where="tool_name = T1") == 1
    assert events_of(site, path, segment=name, event_type=unique("other")) == 0
    refused(site.client.get(path, params={"where": "plan = pro"}), 400, "invalid_parameter", "where")
    refused(site.client.get(path, params={"segment": unique("none")}), 400, "invalid_parameter", "segment")


def test_a_segment_is_saved_replaced_listed_and_deleted(site: Site) -> None:
    name = unique("Ünique (1)")
    first = save(site.client, name, tool_name="Home").json()["segment"]
    assert first == {
        "name": name,
        "filters": {"tool_name": "Home"},
        "created_at": first["created_at"],
        "updated_at": first["updated_at"],
    }
    second = save(site.client, name, where='properties."page.path" contains "/a b"').json()["segment"]
    assert second["created_at"] == first["created_at"]
    assert second["updated_at"] > first["updated_at"]
    listed: list[Json] = site.get(SEGMENTS)["segments"]
    assert [segment for segment in listed if segment["name"] == name] == [second]
    assert [segment["name"] for segment in listed] == sorted(segment["name"] for segment in listed)
    assert site.client.delete(f"{SEGMENTS}/{name}").json() == {"ok": True, "name": name}
    refused(site.client.delete(f"{SEGMENTS}/{name}"), 404, "not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "filters"),
        ({"filters": {}}, "filters"),
        ({"filters": {"hours": "3"}}, "filters.hours"),
        ({"filters": {"segment": "other"}}, "filters.segment"),
        ({"filters": {"tool_name": 3}}, "filters"),
        ({"filters": {"where": "plan ="}}, "filters.where"),
        ({"filters": {"tool_name": "a\0b"}}, "filters"),
        ({"filters": {"tool_name": "a"}, "color": "red"}, "color"),
    ],
)
def test_what_is_no_segment_is_refused_by_its_field(client: httpx.Client, body: Json, field: str) -> None:
    answer = client.put(f"{SEGMENTS}/{unique('segment')}", json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["field"] == field


def test_other_bodies_are_refused(client: httpx.Client, guarded: Site) -> None:
    path = f"{SEGMENTS}/{unique('segment')}"
    refused(client.put(path, content=b"{", headers={"content-type": "application/json"}), 400, "malformed")
    refused(client.put(path, content=b"{}", headers={"content-type": "text/plain"}), 415, "unsupported_type")
    large = json.dumps({"filters": {"tool_name": "a" * 70_000}})
    refused(client.put(path, content=large, headers={"content-type": "application/json"}), 413, "too_large")
    refused(save(client, "a" * 129, tool_name="a"), 400, "invalid_parameter", "name")
    for name in ("%2E", "%2E%2E"):
        # httpx sends a path as it is given; browsers would take these out.
        refused(save(client, name, tool_name="a"), 400, "invalid_parameter", "name")
    for name in ("%00", "%0A", "a" * 129):
        refused(client.delete(f"{SEGMENTS}/{name}"), 400, "invalid_parameter", "name")
    refused(save(guarded.client, unique("segment"), tool_name="a"), 401, "unauthorized")
    refused(guarded.client.delete(path), 401, "unauthorized")


def test_a_name_given_twice_is_refused(client: httpx.Client) -> None:
    body = b'{"filters":{"tool_name":"a"},"filters":{"action":"b"}}'
    answer = client.put(f"{SEGMENTS}/{unique('s')}", content=body, headers={"content-type": "application/json"})
    refused(answer, 400, "malformed", "filters")
