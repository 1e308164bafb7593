"""The list of events: its fields, filters, pages and totals."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import combinations
from urllib.parse import quote

import httpx
import pytest

from tests.http.support.known import Known
from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, now, refused, text_of, unique

LIST = "/api/analytics/track"
FIELDS = (
    *("event_id", "event_type", "session_id", "user_id", "tool_name", "action"),
    *("properties", "demo_mode", "timestamp", "received_at"),
)
FILTERS: dict[str, list[object]] = {
    "event_type": ["page_viewed", "run ✓", "nothing"],
    "tool_name": ["Home", "Søk 🎵", '"><script>', "(other)"],
    "action": ["open"],
    "session_id": ["s-7", "s-many"],
    "user_id": ["u-1", "ü" * 256],
    "demo_mode": ["true", "false"],
}
FAR = 700


def as_listed(events: list[Json]) -> list[Json]:
    """Return events as a list shows them, without the time of receipt."""
    shown = [
        {name: event.get(name) for name in FIELDS[:-1]} | {"demo_mode": event.get("demo_mode", True)}
        for event in events
    ]
    return sorted(
        shown, key=lambda event: (datetime.fromisoformat(event["timestamp"]), event["event_id"]), reverse=True
    )


def without_received(events: list[Json]) -> list[Json]:
    return [{name: value for name, value in event.items() if name != "received_at"} for event in events]


def pages(site: Site, **query: object) -> Iterator[Json]:
    """Give the answers from the first page to the last."""
    cursor: str | None = ""
    while cursor is not None:
        answer = site.get(LIST, **query, **({"cursor": cursor} if cursor else {}))
        yield answer
        cursor = answer["next_cursor"]


def matching(events: list[Json], filters: dict[str, object]) -> list[Json]:
    def passes(event: Json, name: str, value: object) -> bool:
        return bool(
            (event.get(name, True) is True) == (value == "true") if name == "demo_mode" else event.get(name) == value
        )

    return [event for event in events if all(passes(event, name, value) for name, value in filters.items())]


def test_a_list_has_these_fields(known: Known) -> None:
    answer = known.site.get(LIST)
    assert list(answer) == ["ok", "count", "total_in_range", "events", "next_cursor"]
    assert answer["ok"] is True
    assert answer["count"] == len(answer["events"])
    assert all(tuple(event) == FIELDS for event in answer["events"])


def test_a_list_shows_the_last_24_hours_and_what_is_ahead_newest_first(known: Known) -> None:
    answer, expected = known.listed_in_last(None)
    assert answer["total_in_range"] == len(expected) > 1000
    assert answer["count"] == 1000
    assert [event["session_id"] for event in answer["events"][:3]] == ["s-ahead"] * 3
    assert without_received(answer["events"]) == as_listed(expected)[:1000]


@pytest.mark.parametrize("hours", [1, 6, 29, 8760])
def test_hours_say_how_far_back(known: Known, hours: int) -> None:
    answer, expected = known.listed_in_last(hours, limit=7)
    assert answer["total_in_range"] == len(expected)
    assert without_received(answer["events"]) == as_listed(expected)[:7]


@pytest.mark.parametrize(("since", "until"), [(-30, 21), (-5, -4), (-3, 0), (-29, -7)])
@pytest.mark.parametrize("query", [{}, {"session_id": "s-7"}, {"event_type": "page_viewed"}], ids=str)
def test_from_and_to_say_which_hours(known: Known, since: int, until: int, query: dict[str, object]) -> None:
    base = hour_start(now())
    asked = {"from": text_of(base + since * HOUR), "to": text_of(base + until * HOUR)}
    found = list(pages(known.site, **asked, limit=40, **query))
    expected = as_listed(matching(known.between(base + since * HOUR, base + until * HOUR), query))
    assert without_received([event for answer in found for event in answer["events"]]) == expected
    assert {answer["total_in_range"] for answer in found} == {len(expected)}


@pytest.mark.parametrize("names", [names for size in (1, 2, 3) for names in combinations(FILTERS, size)], ids="+".join)
def test_filters_narrow_the_list_alone_and_together(known: Known, names: tuple[str, ...]) -> None:
    for place in range(2 if len(names) == 1 else 1):
        filters = {name: FILTERS[name][place % len(FILTERS[name])] for name in names}
        answer = known.site.get(LIST, hours=FAR, **filters)
        expected = as_listed(matching(known.events, filters))
        assert answer["total_in_range"] == len(expected)
        assert without_received(answer["events"]) == expected[:1000]


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in FILTERS.items() for value in values])
def test_every_value_can_be_asked_for(known: Known, name: str, value: object) -> None:
    answer = known.site.get(LIST, hours=FAR, **{name: value})
    assert answer["total_in_range"] == len(matching(known.events, {name: value}))


def test_all_filters_together_find_one_event(known: Known) -> None:
    wanted = next(
        event for event in known.events if event.get("user_id") and event.get("tool_name") and event["action"]
    )
    filters = {name: wanted[name] for name in FILTERS} | {"demo_mode": str(wanted["demo_mode"]).lower()}
    answer = known.site.get(LIST, hours=FAR, **filters)
    assert wanted["event_id"] in [event["event_id"] for event in answer["events"]]
    assert answer["total_in_range"] == len(matching(known.events, filters))


@pytest.mark.parametrize("query", [{}, {"tool_name": "Home"}, {"demo_mode": "0"}])
def test_a_total_that_is_not_wanted_is_left_out(known: Known, query: Json) -> None:
    with_total = known.site.get(LIST, hours=FAR, limit=5, **query)
    for no in ("0", "false"):
        answer = known.site.get(LIST, hours=FAR, limit=5, total=no, **query)
        assert list(answer) == ["ok", "count", "events", "next_cursor"]
        assert answer["events"] == with_total["events"]
    asked_for = known.site.get(LIST, hours=FAR, limit=5, total=1, **query)
    assert asked_for["total_in_range"] == with_total["total_in_range"]


@pytest.mark.parametrize("limit", [1, 29, 30, 31, 1000])
@pytest.mark.parametrize(
    "query", [{"session_id": "s-7"}, {"event_type": "tool_opened", "demo_mode": "true"}, {"user_id": "u-2"}], ids=str
)
def test_pages_miss_nothing_and_repeat_nothing(known: Known, limit: int, query: dict[str, object]) -> None:
    if limit == 1 and "session_id" not in query:
        limit = 10
    found = list(pages(known.site, hours=FAR, limit=limit, **query))
    listed = [event for answer in found for event in answer["events"]]
    expected = as_listed(matching(known.events, query))
    assert without_received(listed) == expected
    assert {answer["total_in_range"] for answer in found} == {len(expected)}
    assert [answer["count"] for answer in found[:-1]] == [limit] * (len(found) - 1)
    assert 1 <= found[-1]["count"] <= limit


def test_pages_without_a_filter_go_through_everything(known: Known) -> None:
    found = list(pages(known.site, hours=FAR, limit=400))
    listed = [event for answer in found for event in answer["events"]]
    assert without_received(listed) == as_listed(known.events)
    assert found[-1]["next_cursor"] is None


def test_a_list_that_just_fills_its_page_has_no_next(known: Known) -> None:
    total = known.site.get(LIST, hours=FAR, session_id="s-7")["total_in_range"]
    answer = known.site.get(LIST, hours=FAR, session_id="s-7", limit=total)
    assert (answer["count"], answer["next_cursor"]) == (total, None)
    assert known.site.get(LIST, hours=FAR, session_id="s-7", limit=total - 1)["next_cursor"]


def test_a_list_of_nothing(known: Known) -> None:
    assert known.site.get(LIST, session_id="nobody") == {
        "ok": True,
        "count": 0,
        "total_in_range": 0,
        "events": [],
        "next_cursor": None,
    }


def test_pages_stay_in_place_while_new_events_arrive(site: Site) -> None:
    session, moment = unique("s"), now() - HOUR
    sent = [an_event(event_id=f"{number:03}-{session}", session_id=session, at=moment) for number in range(40)]
    site.send(*sent)
    listed: list[str] = []
    for number, answer in enumerate(pages(site, session_id=session, limit=7)):
        listed += [event["event_id"] for event in answer["events"]]
        site.send(
            an_event(session_id=session, event_id=unique("newer")),
            an_event(session_id=session, event_id=f"999-{number}-{session}", at=moment),
        )
    assert listed == sorted((event["event_id"] for event in sent), reverse=True)


def test_a_cursor_pins_the_range(known: Known) -> None:
    first, expected = known.listed_in_last(20, limit=5)
    cursor = first["next_cursor"]
    pinned = [known.site.get(LIST, cursor=cursor, limit=5, **query) for query in ({}, {"hours": 1}, {"hours": 29})]
    assert pinned[0] == pinned[1] == pinned[2]
    assert pinned[0]["total_in_range"] == first["total_in_range"] == len(expected)
    assert without_received(pinned[0]["events"]) == as_listed(expected)[5:10]


def test_the_total_counts_to_the_microsecond(site: Site) -> None:
    kind = unique("t")
    moment = now() - 3 * HOUR
    site.send(*(an_event(event_type=kind, at=moment + timedelta(minutes=minute)) for minute in (-30, 0, 30)))
    total = site.get(LIST, event_type=kind, hours=3)["total_in_range"]
    assert total == len(site.listed(event_type=kind, hours=3)) == 1
    everything = site.get(LIST, hours=3)["total_in_range"]
    ((counted,),) = site.rows("select count(*) from events where timestamp >= $1", now() - 3 * HOUR)
    assert everything == counted


@pytest.mark.parametrize("hours", ["0", "8761", "-1", "+1", "1.5", "abc", "", "1e2", "٢٤", "9" * 5000, " 1"])
@pytest.mark.parametrize("path", [LIST, "/api/analytics/rollups"])
def test_hours_are_a_whole_number_from_1_to_8760(client: httpx.Client, path: str, hours: str) -> None:
    message = refused(client.get(path, params={"hours": hours}), 400, "invalid_parameter", "hours")
    assert "8760" in message


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


def test_the_short_path_lists_too(known: Known) -> None:
    # Ask before and after, because an event may leave the last 24 hours between two answers.
    before, short, after = (known.site.get(path, session_id="s-7") for path in (LIST, "/e", LIST))
    assert short in (before, after)


def test_a_page_ends_early_when_its_properties_are_large(site: Site) -> None:
    """PostgreSQL writes out every digit of a number, so that 16 KiB as sent come back as almost a megabyte."""
    kind = unique("large")
    events = [an_event(event_type=kind, properties={"x": [1]}) for _ in range(30)]
    sent = json.dumps(events).replace("[1]", f"[{','.join(['1e-400'] * 2300)}]")
    assert site.client.post("/e/batch", content=sent).json()["stored"] == 30
    cursor: str | None = ""
    pages: list[int] = []
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = site.get(LIST, event_type=kind, **more)
        assert len(json.dumps(answer)) < 10 * 1024 * 1024
        assert answer["total_in_range"] == 30
        pages.append(answer["count"])
        cursor = answer["next_cursor"]
    assert len(pages) > 1
    assert sum(pages) == 30
