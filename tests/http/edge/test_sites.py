"""Sites over HTTP: added, renamed and retired while the service runs, and refused by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.conftest import WRITE_KEY
from tests.http.support.gate import READER, TRACK_PATHS, body_for
from tests.http.support.site import Json, Site, an_event, new_site, refused, unique
from tests.support.waiting import wait_until

# Requests that are enough to meet both workers, because each goes to a worker by chance.
ENOUGH = 20
# Reads that name a site. The last of them take no other parameter.
PATHS = (
    *("/api/analytics/track", "/api/analytics/rollups", "/api/analytics/rollups/2025-10-18T01:00Z"),
    *("/api/analytics/summary", "/api/analytics/top", "/api/analytics/trends", "/api/analytics/cohorts"),
    *("/api/analytics/visits", "/api/analytics/now"),
    *("/api/analytics/properties", "/api/analytics/proofs", "/api/analytics/sessions/s-1", "/api/analytics/users/u"),
    *("/api/analytics/export", "/api/analytics/segments", "/api/analytics/live"),
)


@pytest_asyncio.fixture(scope="module")
async def sited(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with two workers."""
    async with new_site(servers, folder, HOURLEDGER_WORKERS="2") as site:
        yield site
        site.check_log()


def sites(site: Site, *words: str, code: int = 0) -> list[str]:
    """Run the command `sites`; return its lines."""
    ended = site.run("sites", *words, code=code)
    return (ended.stdout if code == 0 else ended.stderr).splitlines()


def statuses(site: Site, name: str) -> set[int]:
    """Return the answers to events for a site, from all workers."""
    return {site.client.post(f"/e?site={name}", json=an_event()).status_code for _ in range(ENOUGH)}


def until_known(site: Site, name: str, expected: int = 200) -> None:
    wait_until(lambda: statuses(site, name), f"{name} is known to all workers", holds=lambda seen: seen == {expected})


def test_a_site_takes_events_soon_after_it_was_added(sited: Site) -> None:
    assert statuses(sited, "blog") == {404}
    added = sites(
        sited, "add", "blog", "--time-zone", "Europe/Berlin", "--origin", "https://Blog.example/", "--shards", "2"
    )
    assert added == ["sites: added blog: shards 1 to 2, Europe/Berlin"]
    until_known(sited, "blog")
    listed = sites(sited, "list")
    assert listed[0].split() == ["default", "shard", "0,", "UTC,", "default"]
    assert listed[1].split() == ["blog", "shards", "1", "to", "2,", "Europe/Berlin,", "https://blog.example"]
    assert listed[2:] == ["sites: 2 sites"]


def test_what_is_sent_to_one_site_shows_in_no_other(sited: Site) -> None:
    sites(sited, "add", "docs")
    until_known(sited, "docs")
    event = an_event(event_id=unique("evt"), session_id=unique("s"), user_id=unique("u"))
    for place, query in enumerate(("?site=docs", "?s%69te=docs&key=nothing", "")):
        answer = sited.client.post(f"/e{query}", json=event).json()
        # The same event is new to each site, and then a duplicate there.
        assert answer == {"ok": True, "event_id": event["event_id"]} | ({"duplicate": True} if place == 1 else {})
    other = an_event(event_id=unique("evt"), session_id=event["session_id"])
    assert sited.client.post("/e/batch?site=docs", json=[other]).json()["stored"] == 1
    assert ids(sited, site="docs", session_id=event["session_id"]) == {event["event_id"], other["event_id"]}
    assert ids(sited, session_id=event["session_id"]) == {event["event_id"]}
    assert sited.get(f"/api/analytics/sessions/{event['session_id']}", site="docs")["events_in_range"] == 2
    assert sited.get(f"/api/analytics/sessions/{event['session_id']}")["events_in_range"] == 1
    filters = {"session_id": event["session_id"]}
    funnel = {"steps": [{"event_type": "opened"}, {"event_type": "opened"}], "hours": 1, "filters": filters}
    for query, reached in (("?site=docs", [1, 1]), ("", [1, 0])):
        steps = sited.client.post(f"/api/analytics/funnels{query}", json=funnel).json()["steps"]
        assert [step["reached"] for step in steps] == reached


def ids(sited: Site, **query: str) -> set[str]:
    return {event["event_id"] for event in sited.listed(**query)}


def test_a_renamed_site_is_known_by_its_new_name_alone(sited: Site) -> None:
    sites(sited, "add", "old-name")
    until_known(sited, "old-name")
    session = unique("s")
    sited.client.post("/e?site=old-name", json=an_event(session_id=session))
    assert sites(sited, "rename", "old-name", "new-name") == ["sites: old-name is new-name now"]
    until_known(sited, "new-name")
    until_known(sited, "old-name", 404)
    assert sited.get(f"/api/analytics/sessions/{session}", site="new-name")["events_in_range"] == 1


def test_a_retired_site_takes_no_events_but_answers(sited: Site) -> None:
    sites(sited, "add", "gone")
    until_known(sited, "gone")
    session = unique("s")
    sited.client.post("/e?site=gone", json=an_event(session_id=session))
    assert sites(sited, "retire", "gone") == ["sites: gone is retired: it takes no events any more"]
    until_known(sited, "gone", 403)
    for path in TRACK_PATHS:
        message = refused(sited.client.post(f"{path}?site=gone", content=body_for(path)), 403, "site_retired", "site")
        assert message == "the site 'gone' is retired: it takes no events"
    assert sited.get(f"/api/analytics/sessions/{session}", site="gone")["events_in_range"] == 1
    assert "retired" in sites(sited, "list")[-2]


def test_segments_and_filters_are_of_the_site(sited: Site) -> None:
    sites(sited, "add", "cut")
    until_known(sited, "cut")
    saved: Json = {"filters": {"event_type": "opened"}}
    assert sited.client.put("/api/analytics/segments/mine?site=cut", json=saved).status_code == 200
    assert sited.get("/api/analytics/segments", site="cut")["count"] == 1
    assert sited.get("/api/analytics/segments")["count"] == 0
    refused(sited.client.get("/api/analytics/top?segment=mine"), 400, "invalid_parameter", "segment")
    assert sited.client.delete("/api/analytics/segments/mine").status_code == 404
    assert sited.client.delete("/api/analytics/segments/mine?site=cut").status_code == 200


@pytest.mark.parametrize("path", PATHS)
def test_a_read_of_an_unknown_site_is_refused_by_name(site: Site, path: str) -> None:
    message = refused(site.client.get(path, params={"site": "no such"}), 404, "unknown_site", "site")
    expected = "site must be the name of a site, not 'no such'; `python -m service sites list` lists the sites"
    assert message == expected
    refused(site.client.get(f"{path}?site=default&site=default"), 400, "invalid_parameter", "site")


@pytest.mark.parametrize("path", TRACK_PATHS)
def test_an_event_for_an_unknown_site_is_refused_by_name(site: Site, path: str) -> None:
    refused(site.client.post(f"{path}?site=nowhere", content=body_for(path)), 404, "unknown_site", "site")
    refused(site.client.post(f"{path}?site=%ff", content=body_for(path)), 400, "malformed")
    assert site.client.post(f"{path}?site=default", content=body_for(path)).status_code == 200


@pytest.mark.parametrize("path", TRACK_PATHS)
def test_the_write_key_writes_to_the_default_site_alone(guarded: Site, path: str) -> None:
    key = {"x-write-key": WRITE_KEY}
    assert guarded.client.post(f"{path}?site=default", content=body_for(path), headers=key).status_code == 200
    message = refused(
        guarded.client.post(f"{path}?site=blog", content=body_for(path), headers=key), 403, "wrong_site", "site"
    )
    assert message == "HOURLEDGER_WRITE_KEY writes to only the site 'default', not 'blog'"
    refused(guarded.client.post(f"{path}?site=blog", content=body_for(path)), 401, "unauthorized")


@pytest.mark.parametrize("path", PATHS)
def test_the_read_token_reads_the_default_site_alone(guarded: Site, path: str) -> None:
    answer = guarded.client.get(path, params={"site": "blog"}, headers=READER)
    assert (
        refused(answer, 403, "wrong_site", "site") == "HOURLEDGER_READ_TOKEN reads only the site 'default', not 'blog'"
    )
    refused(guarded.client.get(path, params={"site": "blog"}), 401, "unauthorized")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("add", "Blog"),
            "error: name must be 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit, not 'Blog'",
        ),
        (
            ("add", "default"),
            "error: there is a site 'default' already; `python -m service sites list` lists the sites",
        ),
        (
            ("rename", "nowhere", "x"),
            "error: there is no site 'nowhere'; `python -m service sites list` lists the sites",
        ),
        (
            ("retire", "default"),
            "error: 'default' is the default site, which cannot be retired: requests that name no site mean it",
        ),
        (
            ("retire", "nowhere"),
            "error: site must be the name of a site, not 'nowhere'; `python -m service sites list` lists the sites",
        ),
    ],
)
def test_the_command_says_what_is_wrong(sited: Site, words: tuple[str, ...], message: str) -> None:
    assert sites(sited, *words, code=2)[-1] == message


def test_options_of_the_command_are_checked(sited: Site) -> None:
    assert (
        "'Mars/Base' is not a time zone that this machine knows"
        in sites(sited, "add", "m", "--time-zone", "Mars/Base", code=2)[-1]
    )
    assert "must be * or a comma-separated list of origins" in sites(sited, "add", "m", "--origin", "blog", code=2)[-1]
    assert "0 is not in the range" in sites(sited, "add", "m", "--shards", "0", code=2)[-1]
