"""Goals, their conversions, goals as steps of funnels, and annotations, over HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.http.support.site import Site, an_event, now, refused, unique

GOALS = "/api/analytics/goals"
ANNOTATIONS = "/api/analytics/annotations"


def test_conversions_are_of_visits_that_reach_the_goal(site: Site) -> None:
    kind, name = unique("view"), unique("goal")
    at = now() - timedelta(minutes=30)
    visits: list[tuple[str, list[float]]] = [("mail", [19.99, 0.01]), ("mail", []), ("news", [5]), ("news", [])]
    for number, (source, revenues) in enumerate(visits):
        session = unique("s")
        user = {"user_id": f"{kind}-u"} if number in (0, 1) else {}
        viewed = an_event(at=at, event_type=kind, session_id=session, properties={"utm_source": source}, **user)
        paid = [an_event(event_type=f"{kind}-paid", session_id=session, properties={"sum": sum_}) for sum_ in revenues]
        site.send(viewed, *paid)
    goal = {"event_type": f"{kind}-paid", "where": "properties.sum > 0", "value": "properties.sum"}
    saved = site.client.put(f"{GOALS}/{name}", json=goal).json()["goal"]
    assert {field: saved[field] for field in ("name", *goal)} == {"name": name} | goal
    assert name in {each["name"] for each in site.get(GOALS)["goals"]}

    found = site.get(f"{GOALS}/{name}/conversions", event_type=kind, by="properties.utm_source")
    assert (found["sessions"], found["reached_sessions"], found["rate_sessions"]) == (4, 2, 0.5)
    assert (found["visitors"], found["reached_visitors"], found["conversions"]) == (3, 2, 3)
    assert found["value"] == 25
    groups = {group["key"]: group for group in found["groups"]}
    assert (groups["mail"]["visitors"], groups["mail"]["rate_visitors"], groups["mail"]["value"]) == (1, 1, 20)
    assert (groups["news"]["sessions"], groups["news"]["reached_sessions"], groups["news"]["value"]) == (2, 1, 5)

    body = {"steps": [{"event_type": kind}, {"goal": name}], "hours": 2}
    steps = site.client.post("/api/analytics/funnels", json=body).json()["steps"]
    assert [step["reached"] for step in steps] == [4, 2]

    assert site.client.delete(f"{GOALS}/{name}").json() == {"ok": True, "name": name}
    refused(site.client.delete(f"{GOALS}/{name}"), 404, "not_found")
    refused(site.client.get(f"{GOALS}/{name}/conversions"), 400, "invalid_parameter", "name")
    refused(site.client.get(f"{GOALS}/%00/conversions"), 400, "invalid_parameter", "name")
    refused(site.client.post("/api/analytics/funnels", json=body), 400, "invalid_parameter", "steps[1].goal")


def test_a_goal_may_be_a_page(site: Site) -> None:
    name, path = unique("goal"), f"/{unique('thanks')}"
    for each in (path, "/other"):
        site.send(an_event(event_type="page_viewed", session_id=f"s-{path}-{each}", properties={"path": each}))
    assert site.client.put(f"{GOALS}/{name}", json={"path": path}).status_code == 200
    found = site.get(f"{GOALS}/{name}/conversions", where=f"session_id starts with 's-{path}'")
    assert (found["sessions"], found["reached_sessions"], found["value"], found["groups"]) == (2, 1, None, None)


@pytest.mark.parametrize(
    ("goal", "field"),
    [
        ({}, "goal"),
        ({"value": "properties.sum"}, "goal"),
        ({"where": "plan = pro"}, "where"),
        ({"event_type": "a", "value": "sum"}, "value"),
    ],
)
def test_what_is_no_goal_is_refused(site: Site, goal: dict[str, str], field: str) -> None:
    answer = site.client.put(f"{GOALS}/{unique('goal')}", json=goal)
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == field


def test_annotations_are_listed_in_their_range(site: Site) -> None:
    text = unique("Launch")
    added = site.client.post(ANNOTATIONS, json={"at": "2026-03-01", "text": text}).json()["annotation"]
    assert (added["at"], added["day"]) == ("2026-03-01T00:00:00.000Z", "2026-03-01")
    of_range = {"from": "2026-03-01T00:00Z", "to": "2026-03-01T00:15Z"}
    assert text in {each["text"] for each in site.get(ANNOTATIONS, **of_range)["annotations"]}
    before = {"from": "2026-02-28T00:00Z", "to": "2026-03-01T00:00Z"}
    assert text not in {each["text"] for each in site.get(ANNOTATIONS, **before)["annotations"]}
    number = added["id"]
    assert site.client.delete(f"{ANNOTATIONS}/{number}").json() == {"ok": True, "id": number}
    refused(site.client.delete(f"{ANNOTATIONS}/{number}"), 404, "not_found")
    for body, field in (({"at": "soon", "text": "x"}, "at"), ({"at": "2026-03-01", "text": " "}, "text")):
        refused(site.client.post(ANNOTATIONS, json=body), 400, "invalid_parameter", field)
