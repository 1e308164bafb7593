"""The list of events: what it shows, its filters and totals."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from tests.http.support.known import Known
from tests.http.support.listed import FAR, FIELDS, LIST, as_listed, matching, pages, without_received
from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, now, text_of, unique

FILTERS: dict[str, list[object]] = {
    "event_type": ["page_viewed", "run ✓", "nothing"],
    "tool_name": ["Home", "Søk 🎵", '"><script>', "(other)"],
    "action": ["open"],
    "session_id": ["s-7", "s-many"],
    "user_id": ["u-1", "ü" * 256],
    "demo_mode": ["true", "false"],
}


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


@pytest.mark.parametrize("hours", [1, 6, 29, 8784])
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


def test_a_list_of_nothing(known: Known) -> None:
    assert known.site.get(LIST, session_id="nobody") == {
        "ok": True,
        "count": 0,
        "total_in_range": 0,
        "events": [],
        "next_cursor": None,
    }


def test_the_total_counts_to_the_microsecond(site: Site) -> None:
    kind = unique("t")
    moment = now() - 3 * HOUR
    site.send(*(an_event(event_type=kind, at=moment + timedelta(minutes=minute)) for minute in (-30, 0, 30)))
    total = site.get(LIST, event_type=kind, hours=3)["total_in_range"]
    assert total == len(site.listed(event_type=kind, hours=3)) == 1
    everything = site.get(LIST, hours=3)["total_in_range"]
    ((counted,),) = site.rows("select count(*) from events where timestamp >= $1", now() - 3 * HOUR)
    assert everything == counted


def test_the_short_path_lists_too(known: Known) -> None:
    # Ask before and after, because an event may leave the last 24 hours between two answers.
    before, short, after = (known.site.get(path, session_id="s-7") for path in (LIST, "/e", LIST))
    assert short in (before, after)
