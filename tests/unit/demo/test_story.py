"""The story that a demo tells: pages, sources, a launch, sign-ups, purchases, and members who stay."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime

from service.demo.pace import DAY, launch_of
from service.demo.people import DEVICES, PLACES
from service.demo.product import APP, HOST, PLANS, TITLES
from service.ingest.event import Event
from service.visitors.sources import Link, Sources
from service.web import assets
from tests.unit.demo.conftest import END, is_sign_up


def test_pages_have_what_the_browser_client_and_the_service_write(events: list[Event]) -> None:
    sources = Sources(assets.VENDOR / assets.SOURCES_OF_VISITS)
    seen: dict[str, set[str]] = {}
    for event in events:
        written = json.loads(event.properties or "")
        assert written.keys() >= {"$browser", "$os", "$device", "$country", "$region"}
        for name, value in written.items():
            seen.setdefault(name, set()).add(value)
        if event.event_type == "page_viewed":
            assert event.tool_name == written["path"]
            assert written.keys() >= {"path", "title", "screen", "language"}
        if "$channel" in written:
            link = Link(*(written.get(name, "") for name in ("referrer", "utm_source", "utm_medium", "utm_campaign")))
            assert sources.of(link, HOST) == (written.get("$source"), written["$channel"])
    assert seen["path"] > set(TITLES) > set(APP.values())
    assert seen["$channel"] == {"direct", "search", "social", "referral", "email", "paid", "ai"}
    assert {"Google", "Hacker News", "Product Hunt", "ChatGPT", "letter"} < seen["$source"]
    assert seen["utm_campaign"] == {"launch", "know-your-risk", "monthly-letter"}
    assert seen["$device"] == {kind for *_, kind, _ in DEVICES} == {"desktop", "phone", "tablet", "tv"}
    assert seen["$region"] == {region for _, _, region, _ in PLACES}


def test_visits_end_on_their_first_page_or_read_on(sessions: dict[str, list[Event]]) -> None:
    bounced = sum({event.event_type for event in session} <= {"page_viewed", "page_left"} and len(session) <= 2
                  for session in sessions.values())  # fmt: skip
    assert 0.15 < bounced / len(sessions) < 0.45
    for session in sessions.values():
        path, since = "", session[0].timestamp
        for event in session:
            written = json.loads(event.properties or "")
            if event.event_type == "page_viewed":
                path, since = written["path"], event.timestamp
            if event.event_type == "page_left":
                assert written["path"] == path, "one leaves the page where one is"
                assert 0 <= written["scroll"] <= 100
                assert abs(written["seconds"] - (event.timestamp - since).total_seconds()) <= 1


def test_some_sign_up_and_some_of_these_buy(sessions: dict[str, list[Event]]) -> None:
    bought = [event for session in sessions.values() for event in session if event.event_type == "purchased"]
    for event in bought:
        written = json.loads(event.properties or "")
        assert (written["revenue"], written["currency"]) == (PLANS[written["plan"]], "EUR")
        assert event.user_id
    for session in sessions.values():
        types = [event.event_type for event in session]
        paths = [event.tool_name for event in session if event.event_type == "page_viewed"]
        assert "signed_up" not in types or types[types.index("signed_up") - 1] == "form_submitted"
        assert "purchased" not in types or "/checkout" in paths
    new = sum(session[0].user_id is None for session in sessions.values())
    signed_up = sum(is_sign_up(event) for session in sessions.values() for event in session)
    assert 0.03 < signed_up / new < 0.2
    assert 0.05 < len({event.user_id for event in bought}) / signed_up < 0.6


def test_the_launch_brings_its_own_visitors(sessions: dict[str, list[Event]]) -> None:
    launch = launch_of(END)
    came = Counter[tuple[str, bool]]()
    for session in sessions.values():
        source = json.loads(session[0].properties or "").get("$source", "")
        came[source, launch <= session[0].timestamp < launch + 2 * DAY] += 1
    assert came["Hacker News", True] > 2 * came["Hacker News", False]
    assert came["Hacker News", True] > came["Google", True]


def test_members_stay(sessions: dict[str, list[Event]]) -> None:
    """Of those who signed up three weeks before the end some return each week, fewer than in the week before."""
    joined: dict[str, datetime] = {}
    returned: dict[int, set[str]] = {}
    for session in sorted(sessions.values(), key=lambda session: session[0].timestamp):
        user = session[-1].user_id
        if user is not None:
            first = joined.setdefault(user, session[0].timestamp)
            if first < END - 21 * DAY:
                returned.setdefault((session[0].timestamp - first) // (7 * DAY), set()).add(user)
    shares = [len(returned[week]) / len(returned[0]) for week in range(3)]
    assert shares[0] > shares[1] >= shares[2] > 0.15
