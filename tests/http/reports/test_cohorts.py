"""Cohorts over HTTP: shape, members and their returns, the edges of the range, refusals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.support.known import Known
from tests.http.support.site import HOUR, RAW, Json, Site, an_event, hour_start, new_site, now, refused, text_of, unique

COHORTS = "/api/analytics/cohorts"
DAY = timedelta(days=1)
TODAY = hour_start(now()).replace(hour=0)
# Each life: the days on which an owner has an event, counted from the range's first day, and the event's type.
LIVES = {
    "early": {-1: "opened", 1: "opened", 2: "closed"},
    "every": {0: "opened", 1: "opened", 2: "opened", 3: "opened"},
    "late": {0: "closed", 3: "closed"},
    "once": {1: "opened"},
}


@pytest_asyncio.fixture(scope="module")
async def site(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service for these tests alone, because other tests count hours of the same days."""
    async with new_site(servers, folder) as site:
        yield site
        site.check_log()


@pytest.fixture
def client(site: Site) -> httpx.Client:
    return site.client


def scope(days: int = 4) -> dict[str, str]:
    return {"interval": "day", "from": text_of(TODAY - 5 * DAY), "to": text_of(TODAY - (5 - days) * DAY)}


def events_of_lives(mark: str, *, user: bool) -> Iterator[Json]:
    """Give the events of all lives, with `mark` as their tool."""
    for name, life in LIVES.items():
        for day, kind in life.items():
            at = TODAY - 5 * DAY + day * DAY + HOUR
            who = (
                {"user_id": f"{mark}-{name}", "session_id": f"{mark}-{name}-{day}"}
                if user
                else {"session_id": f"{mark}-{name}"}
            )
            yield an_event(at=at, event_type=kind, tool_name=mark, **who)


def cells(answer: Json) -> list[list[int]]:
    assert [cohort["size"] for cohort in answer["cohorts"]] == [cohort["returned"][0] for cohort in answer["cohorts"]]
    return [cohort["returned"] for cohort in answer["cohorts"]]


@pytest.mark.parametrize("by", ["user", "visitor"])
def test_a_triangle_of_those_who_came_back(site: Site, by: str) -> None:
    mark = unique("tool")
    site.send(*events_of_lives(mark, user=by == "user"))
    asked = {**scope(), "by": by, "tool_name": mark}
    answer = site.get(COHORTS, **asked)
    assert list(answer) == ["ok", "interval", "tz", "by", "retention", "from", "to", "source", "cohorts"]
    assert (answer["interval"], answer["tz"], answer["by"], answer["retention"]) == ("day", "UTC", by, "bounded")
    assert (answer["from"], answer["to"]) == (asked["from"], asked["to"])
    assert answer["source"] in RAW
    assert [cohort["start"] for cohort in answer["cohorts"]] == [text_of(TODAY - (5 - day) * DAY) for day in range(4)]
    # An owner with an event before the range is in no cohort.
    assert cells(answer) == [[2, 1, 1, 2], [1, 0, 0], [0, 0], [0]]
    assert [cohort["complete"] for cohort in answer["cohorts"]] == [[True] * (4 - day) for day in range(4)]
    assert cells(site.get(COHORTS, **asked, retention="unbounded")) == [[2, 2, 2, 2], [1, 0, 0], [0, 0], [0]]
    assert cells(site.get(COHORTS, **asked, return_event_type="closed")) == [[2, 0, 0, 1], [1, 0, 0], [0, 0], [0]]
    # Filters apply to the first event, not to the returns.
    assert cells(site.get(COHORTS, **asked, event_type="closed")) == [[1, 0, 0, 1], [0, 0, 0], [1, 0], [0]]
    assert cells(site.get(COHORTS, **asked, where="event_type = opened")) == [[1, 1, 1, 1], [1, 0, 0], [0, 0], [0]]


def test_a_visitor_is_a_user_or_a_session_that_names_none(site: Site) -> None:
    mark, start = unique("tool"), TODAY - 5 * DAY
    site.send(
        *(an_event(at=start, tool_name=mark, session_id=f"{mark}-{number}") for number in (1, 2)),
        an_event(at=start + DAY, tool_name=mark, session_id=f"{mark}-1", user_id=f"{mark}-u"),
        an_event(at=start + DAY, tool_name=mark, session_id=f"{mark}-2"),
    )
    assert cells(site.get(COHORTS, **scope(2), tool_name=mark)) == [[0, 0], [1]]
    assert cells(site.get(COHORTS, **scope(2), tool_name=mark, by="visitor")) == [[1, 1], [1]]
    # Events after the range do not count.
    assert cells(site.get(COHORTS, **scope(1), tool_name=mark, by="visitor")) == [[2]]


def test_a_period_that_is_not_over_is_not_complete(known: Known) -> None:
    answer = known.site.get(COHORTS, interval="day", hours=48)
    assert answer["source"] == "rollups"
    assert known.site.get(COHORTS, demo_mode="true")["source"] in RAW
    starts = [datetime.fromisoformat(cohort["start"]) for cohort in answer["cohorts"]]
    assert starts[1:] == [starts[1] + number * DAY for number in range(len(starts) - 1)]
    assert [len(cohort["returned"]) for cohort in answer["cohorts"]] == list(range(len(starts), 0, -1))
    for cohort in answer["cohorts"]:
        assert cohort["complete"][1:-1] == [True] * (len(cohort["returned"]) - 2)
        assert not cohort["complete"][-1]
    # The range cuts the first day, unless it begins at midnight.
    assert answer["cohorts"][0]["complete"][0] is (starts[0].hour == 0)
    users = {event["user_id"] for event in known.events if event.get("user_id")}
    assert sum(cohort["size"] for cohort in answer["cohorts"]) == len(users)
    whole = known.site.get(COHORTS, where="event_type exists")
    assert whole["interval"] == "week"
    assert sum(cohort["size"] for cohort in whole["cohorts"]) == len(users)
    assert datetime.fromisoformat(whole["from"]) > now() - 300 * HOUR


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("interval=hour", "interval"),
        (f"interval=day&from={text_of(TODAY)}&to={text_of(TODAY + 330 * DAY)}", "interval"),
        ("by=session", "by"),
        ("retention=rolling", "retention"),
        ("tz=Mars/Olympus", "tz"),
        ("hours=0", "hours"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(client: httpx.Client, query: str, name: str) -> None:
    refused(client.get(f"{COHORTS}?{query}"), 400, "invalid_parameter", name)


def test_what_is_gone_and_who_may_not_ask(site: Site, guarded: Site) -> None:
    old = {"from": "2024-01-01T00:00Z", "to": "2024-01-02T00:00Z"}
    refused(site.client.get(COHORTS, params=old | {"demo_mode": "true"}), 422, "expired", "to")
    assert cells(site.get(COHORTS, **old)) == [[0]]
    refused(guarded.client.get(COHORTS), 401, "unauthorized")
