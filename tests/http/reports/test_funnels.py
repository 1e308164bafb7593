"""Funnels over HTTP: shape, access to ids, and refusals by field."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.site import HOUR, RAW, Json, Site, an_event, hour_start, now, refused, unique
from tests.support.condition_cases import REFUSED

FUNNELS = "/api/analytics/funnels"
TWO = [{"event_type": "opened"}, {"event_type": "closed"}]


def sent_story(kind: str) -> list[Json]:
    """Return events of three sessions; two reach the second step, after 10 and after 30 seconds."""
    start = hour_start(now()) - 2 * HOUR
    return [
        an_event(
            event_type=kind,
            action=action,
            session_id=f"{kind}-{session}",
            at=start + timedelta(seconds=after),
            properties={"plan": "pro" if session else "free"},
        )
        for session, action, after in ((0, "a", 0), (0, "b", 10), (1, "a", 0), (1, "b", 30), (2, "a", 5))
    ]


def question(kind: str, **more: Any) -> Json:
    steps = [{"event_type": kind, "action": "a"}, {"action": "b", "where": "properties.plan exists"}]
    return {"steps": steps, "hours": 24, "filters": {"event_type": kind}, **more}


def test_a_funnel_has_a_rate_and_times_for_each_step(site: Site) -> None:
    kind = unique("kind")
    site.send(*sent_story(kind))
    answer = site.client.post(FUNNELS, json=question(kind, breakdown="properties.plan"))
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    first = {"rate_from_previous": None, "median_seconds": None, "p90_seconds": None}
    assert told == {
        "ok": True,
        "by": "session",
        "steps": [
            {"reached": 3, "rate_from_first": 1.0, **first, "dropped": 1},
            {
                "reached": 2,
                "rate_from_first": 2 / 3,
                "rate_from_previous": 2 / 3,
                "median_seconds": 20.0,
                "p90_seconds": 28.0,
                "dropped": 0,
            },
        ],
        "groups": told["groups"],
        "source": told["source"],
        "from": told["from"],
        "to": told["to"],
    }
    assert told["source"] in RAW
    assert [(group["key"], group["steps"][0]["reached"]) for group in told["groups"]] == [("pro", 2), ("free", 1)]
    by_user = site.client.post(FUNNELS, json=question(kind, by="user")).json()
    assert [step["reached"] for step in by_user["steps"]] == [0, 0]
    assert "groups" not in by_user
    at_once = site.client.post(FUNNELS, json=question(kind, order="strict", window_minutes=1)).json()
    assert [step["reached"] for step in at_once["steps"]] == [3, 2]


def test_ids_are_told_only_to_those_who_showed_a_token(guarded: Site) -> None:
    kind = unique("kind")
    sent = guarded.client.post("/e/batch", json=sent_story(kind), headers={"x-write-key": WRITE_KEY})
    assert sent.json()["stored"] == 5
    refused(guarded.client.post(FUNNELS, json=question(kind)), 401, "unauthorized")
    headers = {"authorization": f"Bearer {READ_TOKEN}"}
    steps = guarded.client.post(FUNNELS, json=question(kind), headers=headers).json()["steps"]
    assert [step["dropped_ids"] for step in steps] == [[f"{kind}-2"], []]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "steps"),
        ({"steps": TWO[:1]}, "steps"),
        ({"steps": TWO * 6}, "steps"),
        ({"steps": [*TWO, {}]}, "steps[2]"),
        ({"steps": [*TWO, {"action": "", "where": ""}]}, "steps[2]"),
        ({"steps": [TWO[0], {"event_type": 3}]}, "steps[1].event_type"),
        ({"steps": [TWO[0], {"event_type": "x" * 129}]}, "steps[1].event_type"),
        ({"steps": [TWO[0], {"action": "a\0b"}]}, "steps[1].action"),
        ({"steps": [TWO[0], {"color": "red"}]}, "steps[1].color"),
        ({"steps": [*TWO, {"where": "  "}]}, "steps[2]"),
        ({"steps": [TWO[0], {"where": "action = a\0"}]}, "steps[1].where"),
        ({"steps": [TWO[0], {"where": [{"property": "plan", "value": "pro"}]}]}, "steps[1].where"),
        ({"steps": [TWO[0], {"where": " and ".join(["action exists"] * 21)}]}, "steps[1].where"),
        ({"steps": TWO, "window_minutes": 0}, "window_minutes"),
        ({"steps": TWO, "window_minutes": 43_201}, "window_minutes"),
        ({"steps": TWO, "window_minutes": 1.5}, "window_minutes"),
        ({"steps": TWO, "by": "device"}, "by"),
        ({"steps": TWO, "order": "any"}, "order"),
        ({"steps": TWO, "hours": 0}, "hours"),
        ({"steps": TWO, "hours": 24, "from": "2025-10-18T01:00:00Z"}, "hours"),
        ({"steps": TWO, "from": "2025-10-18T01:00:00Z"}, "to"),
        ({"steps": TWO, "from": "2025-10-18T01:20:00Z", "to": "2025-10-18T03:00:00Z"}, "from"),
        ({"steps": TWO, "breakdown": "user_id"}, "breakdown"),
        ({"steps": TWO, "breakdown": "properties."}, "breakdown"),
        ({"steps": TWO, "breakdown": "properties" + ".a" * 33}, "breakdown"),
        ({"steps": TWO, "breakdown": "properties" + ".a" * 20_000}, "breakdown"),
        ({"steps": TWO, "breakdown": 'properties."\\u0000"'}, "breakdown"),
        ({"steps": TWO, "filters": {"color": "red"}}, "filters.color"),
        ({"steps": TWO, "filters": {"where": "plan ="}}, "filters.where"),
        ({"steps": TWO, "filters": {"demo_mode": "maybe"}}, "filters.demo_mode"),
        ({"steps": TWO, "filters": {"segment": "nowhere"}}, "filters.segment"),
        ({"steps": TWO, "filters": {"action": "a\0"}}, "filters"),
        ({"steps": TWO, "limit": 3}, "limit"),
    ],
)
def test_what_is_no_funnel_is_refused_by_its_field(client: httpx.Client, body: Json, field: str) -> None:
    answer = client.post(FUNNELS, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["field"] == field


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["text"])
def test_a_step_is_refused_in_the_words_that_a_filter_is(client: httpx.Client, case: Json) -> None:
    step = refused(
        client.post(FUNNELS, json={"steps": [TWO[0], {"where": case["text"]}]}),
        *(400, "invalid_parameter", "steps[1].where"),
    )
    asked = refused(
        client.get("/api/analytics/track", params={"where": case["text"]}), 400, "invalid_parameter", "where"
    )
    assert step == f"steps[1].where {case['error']}"
    assert asked == f"where {case['error']}"


def test_a_step_that_asks_for_nothing_and_a_nul_are_invalid(client: httpx.Client) -> None:
    refused(client.post(FUNNELS, json={"steps": [{}, TWO[1]]}), 400, "invalid", "steps[0]")
    refused(client.post(FUNNELS, json={"steps": [TWO[0], {"action": "a\0"}]}), 400, "invalid", "steps[1].action")


def test_other_requests_are_refused(client: httpx.Client) -> None:
    refused(client.post(FUNNELS, json={"steps": TWO}, params={"hours": 3}), 400, "unknown_parameter", "hours")
    refused(client.post(FUNNELS, content=b"{}", headers={"content-type": "text/plain"}), 415, "unsupported_type")
    assert client.get(FUNNELS).status_code == 405
