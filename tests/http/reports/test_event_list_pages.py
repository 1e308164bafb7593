"""Pages of the list of events miss nothing and repeat nothing."""

from __future__ import annotations

import json

import pytest

from tests.http.support.known import Known
from tests.http.support.listed import FAR, LIST, as_listed, matching, pages, without_received
from tests.http.support.site import HOUR, Site, an_event, now, unique


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


def test_a_page_ends_early_when_its_properties_are_large(site: Site) -> None:
    """PostgreSQL writes out every digit of a number, so that 16 KiB as sent come back as twice as much."""
    kind = unique("large")
    events = [an_event(event_type=kind, properties={"x": [1], "text": "x" * 15_000}) for _ in range(300)]
    sent = json.dumps(events).replace("[1]", f"[{','.join(['1e-400'] * 40)}]")
    assert site.client.post("/e/batch", content=sent).json()["stored"] == 300
    cursor: str | None = ""
    pages: list[int] = []
    while cursor is not None:
        more = {"cursor": cursor} if cursor else {}
        answer = site.get(LIST, event_type=kind, limit=1000, **more)
        assert len(json.dumps(answer)) < 10 * 1024 * 1024
        assert answer["total_in_range"] == 300
        pages.append(answer["count"])
        cursor = answer["next_cursor"]
    assert len(pages) > 1
    assert sum(pages) == 300
