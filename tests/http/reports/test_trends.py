"""What a dashboard reads over HTTP: shapes, numbers against a count in plain Python, freshness."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from service.ingest.timestamps import parse_time
from tests.http.support.known import Known, risk_modes
from tests.http.support.paths import PROOFS, SUMMARY, TOP, TRENDS
from tests.http.support.site import HOUR, RAW, Json, Site, an_event, hour_start, now, refused, text_of, unique

ZONES = ("UTC", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Asia/Tehran", "Europe/Berlin")
METRICS = ("events", "sessions", "tool_uses", "event_types", "events_per_session", "users", "visitors")
FIELDS = ["ok", "metric", "interval", "tz", "from", "to", "source", "buckets", "compare", "groups", "as_of"]
DAY = timedelta(days=1)


def keys_of(event: Json, dimension: str) -> list[str]:
    if dimension == "risk_mode":
        return list(risk_modes(event))
    if dimension == "demo_mode":
        return [str(event.get("demo_mode", True)).lower()]
    return [event[dimension]] if event.get(dimension) else []


def measured(metric: str, events: list[Json]) -> float | None:
    sessions = len({event["session_id"] for event in events})
    named = [event for event in events if event.get("user_id")]
    users = len({event["user_id"] for event in named})
    return {
        "events": len(events),
        "sessions": sessions,
        "tool_uses": sum(len(keys_of(event, "tool_name")) for event in events),
        "event_types": len({event["event_type"] for event in events}),
        "events_per_session": len(events) / sessions if sessions else None,
        "users": users,
        "visitors": users + sessions - len({event["session_id"] for event in named}),
    }[metric]


def totals(events: list[Json]) -> Json:
    return {metric: measured(metric, events) for metric in METRICS}


def new_users(known: Known, since: datetime, until: datetime) -> int:
    before = {event.get("user_id") for event in known.between(datetime.min.replace(tzinfo=UTC), since)}
    return len({event["user_id"] for event in known.between(since, until) if event.get("user_id")} - before)


def scope(known: Known, hours: int = 40) -> tuple[Json, datetime, datetime]:
    """Return a range that holds the known events, except those in the future."""
    until = known.busiest() + 4 * HOUR
    return {"from": text_of(until - hours * HOUR), "to": text_of(until)}, until - hours * HOUR, until


def check(known: Known, answer: Json, passes: list[Json] | None = None) -> None:
    """Check the shape of a trend, and its numbers against a count of the known events that pass."""
    assert list(answer) == FIELDS
    bounds = [parse_time(bucket["start"]) for bucket in answer["buckets"]] + [parse_time(answer["to"])]
    assert answer["buckets"][0]["start"] == answer["from"]
    for bucket, since, until in zip(answer["buckets"], bounds, bounds[1:], strict=False):
        inside = [event for event in known.between(since, until) if passes is None or event in passes]
        assert bucket == {
            "start": text_of(since),
            "end": text_of(until),
            "value": measured(answer["metric"], inside),
            "complete": until <= now() and is_whole(since, until, answer),
        }


def is_whole(since: datetime, until: datetime, answer: Json) -> bool:
    """Tell whether a range consists of whole periods, by the clocks of the zone."""
    ends = [moment.astimezone(ZoneInfo(answer["tz"])) for moment in (since, until)]
    return answer["interval"] == "hour" or all(
        f"{end:%H:%M}" == "00:00"
        and (answer["interval"] != "week" or end.weekday() == 0)
        and (answer["interval"] != "month" or end.day == 1)
        for end in ends
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("interval", ["hour", "day", "week", "month"])
def test_every_metric_in_every_interval(known: Known, metric: str, interval: str) -> None:
    asked, _, _ = scope(known)
    for zone in ZONES:
        answer = known.site.get(TRENDS, metric=metric, interval=interval, tz=zone, **asked)
        assert (answer["source"], answer["tz"], answer["interval"]) == ("rollups", zone, interval)
        check(known, answer)
        if interval == "day":
            starts = [parse_time(bucket["start"]).astimezone(ZoneInfo(zone)) for bucket in answer["buckets"][1:]]
            assert {f"{start:%H:%M}" for start in starts} == {"00:00"}


def test_the_last_hours_end_with_the_current_one_which_is_not_complete(known: Known) -> None:
    while True:
        hour = hour_start(now())
        answer = known.site.get(TRENDS, hours=30)
        summary, rollups = known.site.get(SUMMARY, hours=30), known.site.get("/api/analytics/rollups", hours=30)
        if hour == hour_start(now()):
            break
    assert (answer["from"], answer["to"]) == (text_of(hour - 29 * HOUR), text_of(hour + HOUR))
    assert [bucket["complete"] for bucket in answer["buckets"]] == [True] * 29 + [False]
    assert (answer["compare"], answer["groups"]) == (None, None)
    check(known, answer)
    assert sum(bucket["value"] for bucket in answer["buckets"]) == summary["totals"]["events"]
    ahead = known.between(hour + HOUR)
    assert rollups["total_events"] == summary["totals"]["events"] + len(ahead)


def test_a_filter_is_answered_from_events(known: Known) -> None:
    asked, since, until = scope(known)
    for name, value in (
        ("event_type", "page_viewed"),
        ("tool_name", "Home"),
        ("action", "open"),
        ("risk_mode", "high"),
    ):
        passes = [event for event in known.between(since, until) if value in keys_of(event, name)]
        for metric in ("events", "sessions", "event_types"):
            answer = known.site.get(TRENDS, metric=metric, interval="day", **asked, **{name: value})
            assert answer["source"] in RAW
            check(known, answer, passes)
        summary = known.site.get(SUMMARY, **asked, **{name: value})
        assert summary["totals"] == {**totals(passes), "new_users": None}


def grouped(events: list[Json], by: str) -> Counter[str]:
    return Counter(key for event in events for key in keys_of(event, by))


@pytest.mark.parametrize("by", ["event_type", "tool_name", "action", "risk_mode", "demo_mode"])
def test_the_largest_keys_and_the_others_are_groups(known: Known, by: str) -> None:
    asked, since, until = scope(known)
    counts = grouped(known.between(since, until), by)
    own_other = counts.pop("(other)", 0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    for top in (1, 3, 50):
        answer = known.site.get(TRENDS, by=by, top=top, interval="day", **asked)
        assert answer["source"] in ({"rollups"} if by in ("event_type", "tool_name", "risk_mode") else RAW)
        rest = sum(counts.values()) - sum(events for _, events in ordered[:top]) + own_other
        expected = ordered[:top] + ([("(other)", rest)] if rest else [])
        shown = [(group["key"], sum(bucket["value"] for bucket in group["buckets"])) for group in answer["groups"]]
        assert shown == expected
        assert all(len(group["buckets"]) == len(answer["buckets"]) for group in answer["groups"])


def test_lists_of_a_summary_and_the_top_are_largest_first(known: Known) -> None:
    asked, since, until = scope(known)
    summary = known.site.get(SUMMARY, **asked)
    assert list(summary) == [
        *("ok", "from", "to", "source", "totals", "compare"),
        *("event_types", "tool_usage", "risk_distribution", "as_of"),
    ]
    lists = {"event_type": "event_types", "tool_name": "tool_usage", "risk_mode": "risk_distribution"}
    for by, name in lists.items():
        counts = grouped(known.between(since, until), by)
        assert len(summary[name]) <= 51
        assert sum(row["events"] for row in summary[name]) == sum(counts.values())
        # A key that is called so is told from the rest.
        named = [row for row in summary[name] if "rest" not in row]
        assert [(row["key"], row["events"]) for row in named] == sorted(
            counts.items(), key=lambda item: (-item[1], item[0])
        )[:50]
        assert all(row["key"] == "(other)" for row in summary[name] if "rest" in row)
    for by in (*lists, "action"):
        counts = grouped(known.between(since, until), by)
        top = known.site.get(TOP, by=by, limit=2, **asked)
        assert list(top) == ["ok", "by", "source", "from", "to", "total", "rows", "other"]
        assert top["total"] == sum(counts.values()) == sum(row["events"] for row in top["rows"]) + top["other"]
        assert top["source"] in (RAW if by == "action" else {"rollups"})
        assert [(row["key"], row["events"]) for row in top["rows"]] == sorted(
            counts.items(), key=lambda item: (-item[1], item[0])
        )[:2]


def test_the_range_before_is_compared(known: Known) -> None:
    _, _, until = scope(known)
    asked = {"from": text_of(until - 12 * HOUR), "to": text_of(until)}
    answer = known.site.get(TRENDS, compare="previous", metric="sessions", **asked)
    before = known.between(until - 24 * HOUR, until - 12 * HOUR)
    check(known, {**answer, "buckets": answer["compare"], "from": answer["compare"][0]["start"], "to": answer["from"]})
    summary = known.site.get(SUMMARY, compare="previous", **asked)
    assert summary["compare"] == {
        "from": text_of(until - 24 * HOUR),
        "to": text_of(until - 12 * HOUR),
        "totals": {**totals(before), "new_users": new_users(known, until - 24 * HOUR, until - 12 * HOUR)},
    }
    week = known.site.get(TRENDS, compare="week", **asked)
    assert [parse_time(bucket["start"]) for bucket in week["compare"]] == [
        parse_time(bucket["start"]) - 7 * DAY for bucket in week["buckets"]
    ]


def test_what_raw_events_cannot_tell_is_cut_off(known: Known) -> None:
    answer = known.site.get(TRENDS, interval="month", hours=8_784, demo_mode="false")
    ((horizon,),) = known.site.rows("select horizon from log_heads")
    assert answer["from"] == text_of(horizon)
    whole = known.site.get(TRENDS, interval="month", hours=8_784)
    assert datetime.fromisoformat(whole["from"]) < datetime.fromisoformat(answer["from"])
    old = {"from": "2024-01-01T00:00Z", "to": "2024-01-02T00:00Z"}
    refused(known.site.client.get(TOP, params=old), 422, "expired", "to")
    assert known.site.get(SUMMARY, **old)["totals"]["events"] == 0


def test_an_acked_event_is_in_the_next_answer_of_all(site: Site) -> None:
    hour = hour_start(now()) - 120 * HOUR
    asked = {"from": text_of(hour), "to": text_of(hour + HOUR)}
    for number in range(1, 4):
        name = unique("action")
        sent = an_event(at=hour + timedelta(minutes=number), session_id=unique("s"), tool_name="Home", action=name)
        assert site.client.post("/e", json=sent).status_code == 200
        totals = site.get(SUMMARY, **asked)["totals"]
        assert (totals["events"], totals["sessions"], totals["tool_uses"]) == (number, number, number)
        assert [bucket["value"] for bucket in site.get(TRENDS, **asked)["buckets"]] == [number]
        assert site.get(SUMMARY, action=name, **asked)["totals"]["events"] == 1
        assert {"key": name, "events": 1} in site.get(TOP, **asked)["rows"]
        (proof,) = site.get(PROOFS, **asked)["proofs"]
        assert (proof["hour"], proof["events"]) == (text_of(hour), number)
        assert site.get(PROOFS, **asked)["as_of"].keys() == {"positions", "lag_events"}
        listed = site.get("/api/analytics/track", hours=200, action=name)
        assert listed["total_in_range"] == 1


def test_the_list_of_events_is_filtered_by_risk_mode(known: Known) -> None:
    for mode in ("high", "(other)", "z" * 128, "nothing"):
        answer, events = known.listed_in_last(48, risk_mode=mode)
        expected = [event["event_id"] for event in events if mode in keys_of(event, "risk_mode")]
        assert sorted(event["event_id"] for event in answer["events"]) == sorted(expected)
        assert answer["total_in_range"] == len(expected)
        one, _ = known.listed_in_last(48, risk_mode=mode, event_type="risk_mode_changed", limit=1)
        assert one["total_in_range"] == len(expected)
