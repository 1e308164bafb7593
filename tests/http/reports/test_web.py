"""What web analytics asks: visits and now, numbers of properties, ranges of the calendar, other ranges to compare."""

from __future__ import annotations

from datetime import timedelta

from tests.http.support.known import Known
from tests.http.support.site import HOUR, Site, an_event, now, text_of, unique

VISITS = "/api/analytics/visits"
TRENDS = "/api/analytics/trends"


def test_visits_are_compared_with_any_range(known: Known) -> None:
    until = known.busiest() + 4 * HOUR
    one = {"from": text_of(until - 10 * HOUR), "to": text_of(until)}
    other = {"from": text_of(until - 13 * HOUR), "to": text_of(until - 10 * HOUR)}
    names = {"compare_from": other["from"], "compare_to": other["to"]}
    found = known.site.get(VISITS, **one, **names)
    expected = known.site.get(VISITS, **other)
    assert expected["visits"] > 0
    assert {name: found["compare"][name] for name in found["compare"]} == {
        name: expected[name] for name in found["compare"]
    }
    summary = known.site.get("/api/analytics/summary", **one, **names)["compare"]
    assert summary["totals"] == known.site.get("/api/analytics/summary", **other)["totals"]
    trend = known.site.get(TRENDS, **one, **names)
    assert [bucket["value"] for bucket in trend["compare"]] == [
        bucket["value"] for bucket in known.site.get(TRENDS, **other)["buckets"]
    ]


def test_everything_begins_with_the_first_event(known: Known) -> None:
    first = text_of(known.site.rows("select min(timestamp) as first from events")[0]["first"])
    for path in ("summary", "visits", "trends", "top", "properties", "cohorts"):
        found = known.site.get(f"/api/analytics/{path}", range="all")
        assert found["from"][:13] == first[:13], path
    assert known.site.get(TRENDS, range="today", tz="Asia/Kathmandu", interval="day")["buckets"][0]["start"].endswith(
        "T18:15:00.000Z"
    )


def test_whoever_was_here_a_moment_ago_is_here_now(site: Site) -> None:
    kind, path = unique("here"), f"/{unique('page')}"
    for ago, session in ((1, "a"), (2, "b"), (2, "b"), (10, "c")):
        at = now() - timedelta(minutes=ago)
        site.send(an_event(at=at, event_type=kind, session_id=f"{kind}-{session}", properties={"path": path}))
    found = site.get("/api/analytics/now", event_type=kind)
    assert (found["visitors"], found["sessions"], found["events"]) == (2, 2, 3)
    assert found["pages"] == [{"path": path, "visitors": 2}]
    nobody = site.get("/api/analytics/now", event_type=unique("nobody"))
    assert (nobody["visitors"], nobody["sessions"], nobody["events"], nobody["pages"]) == (0, 0, 0, [])


def test_revenue_is_summed_exactly_by_currency(site: Site) -> None:
    kind = unique("paid")
    for currency, revenue in (("EUR", 0.1), ("EUR", 0.2), ("CHF", 19.99), ("CHF", "many")):
        site.send(an_event(event_type=kind, properties={"currency": currency, "revenue": revenue}))
    asked = {"event_type": kind, "metric": "sum", "of": "properties.revenue", "interval": "week", "hours": 1}
    found = site.get(TRENDS, **asked, by="properties.currency")
    assert sum(bucket["value"] for bucket in found["buckets"]) == 20.29
    assert found["not_numbers"] == 1
    sums = {group["key"]: sum(bucket["value"] for bucket in group["buckets"]) for group in found["groups"]}
    assert sums == {"EUR": 0.3, "CHF": 19.99}
