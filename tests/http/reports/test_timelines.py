"""The timelines of sessions and users over HTTP, with any characters in their ids."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from urllib.parse import quote

import httpx
import pytest

from tests.http.support.known import Known
from tests.http.support.listed import FIELDS
from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, now, refused, text_of, unique

SESSIONS = "/api/analytics/sessions"
USERS = "/api/analytics/users"
ODD = ("a/b", "/a//b/", "100%", "%2F", "two words ", "ü😀", "a?b#c&d=e", "a+b", "..", "\\", '"', "\n", "ü" * 256)


def timeline(site: Site, path: str, name: str, **query: object) -> Json:
    return site.get(f"{path}/{quote(name, safe='')}", **query)


def pages(site: Site, path: str, name: str, **query: object) -> Iterator[Json]:
    """Give the answers from the first page to the last."""
    cursor: str | None = ""
    while cursor is not None:
        answer = timeline(site, path, name, **query, **({"cursor": cursor} if cursor else {}))
        yield answer
        cursor = answer["next_cursor"]


def ids(answer: Json) -> list[str]:
    return [event["event_id"] for event in answer["events"]]


def test_a_session_is_told_oldest_first(site: Site) -> None:
    session, first = unique("s"), now() - 30 * HOUR
    moments = [first, first, first + HOUR, first + 3 * HOUR]
    users = ["u-b", None, "u-a", "u-b"]
    site.send(
        *(
            an_event(at=at, session_id=session, event_id=f"{session}-{number}", properties={"n": number})
            | ({"user_id": user} if user else {})
            for number, (at, user) in reversed(list(enumerate(zip(moments, users, strict=True))))
        )
    )
    answer = timeline(site, SESSIONS, session)
    assert list(answer) == [
        *("ok", "session_id", "user_ids", "first_seen", "last_seen", "events_in_range"),
        *("from", "to", "source", "events", "next_cursor"),
    ]
    assert (answer["session_id"], answer["user_ids"]) == (session, ["u-a", "u-b"])
    assert (answer["first_seen"], answer["last_seen"]) == (text_of(first), text_of(moments[-1]))
    assert (answer["source"], answer["events_in_range"], answer["next_cursor"]) == ("events", 4, None)
    assert ids(answer) == [f"{session}-{number}" for number in range(4)]
    assert all(tuple(event) == FIELDS for event in answer["events"])
    assert answer["events"][::-1] == site.listed(hours=48, session_id=session)
    part = timeline(
        site,
        SESSIONS,
        session,
        **{"from": text_of(hour_start(first) + HOUR), "to": text_of(hour_start(first) + 3 * HOUR)},
    )
    assert (part["events_in_range"], ids(part)) == (1, [f"{session}-2"])
    assert (part["first_seen"], part["last_seen"]) == (answer["first_seen"], answer["last_seen"])


def test_a_user_is_told_newest_first_with_sessions(site: Site) -> None:
    user, first = unique("u"), hour_start(now()) - 20 * HOUR
    sessions = {f"{user}-s{number}": [first + (number + 5 * step) * HOUR for step in range(3)] for number in range(3)}
    site.send(
        *(
            an_event(at=at, session_id=session, user_id=user, event_id=f"{session}-{number}")
            for session, moments in sessions.items()
            for number, at in enumerate(moments)
        ),
        an_event(at=first - HOUR, session_id=next(iter(sessions))),
    )
    answer = timeline(site, USERS, user)
    assert list(answer) == [
        *("ok", "user_id", "first_seen", "last_seen", "events_in_range", "days_active"),
        *("sessions_in_range", "sessions"),
        *("from", "to", "source", "events", "next_cursor"),
    ]
    assert (answer["user_id"], answer["events_in_range"], answer["sessions_in_range"]) == (user, 9, 3)
    assert (answer["first_seen"], answer["last_seen"]) == (text_of(first), text_of(first + 12 * HOUR))
    assert answer["days_active"] == len({at.date() for moments in sessions.values() for at in moments})
    assert answer["events"] == site.listed(hours=48, user_id=user)
    assert answer["sessions"] == [
        {"session_id": session, "first_seen": text_of(moments[0]), "last_seen": text_of(moments[-1]), "events": 3}
        for session, moments in reversed(sessions.items())
    ]
    part = timeline(site, USERS, user, **{"from": text_of(first), "to": text_of(first + HOUR)})
    assert (part["events_in_range"], part["sessions_in_range"], len(part["events"])) == (1, 1, 1)
    assert part["sessions"] == [
        {"session_id": f"{user}-s0", "first_seen": text_of(first), "last_seen": text_of(first), "events": 1}
    ]
    none = timeline(site, USERS, user, **{"from": text_of(first - HOUR), "to": text_of(first)})
    assert (none["events_in_range"], none["sessions"], none["events"]) == (0, [], [])
    assert none["first_seen"] == answer["first_seen"]


def test_only_the_most_recent_sessions_are_named(site: Site) -> None:
    user, first = unique("u"), now() - HOUR
    site.send(
        *(
            an_event(at=first + number * timedelta(seconds=1), session_id=f"{user}-{number:03}", user_id=user)
            for number in range(103)
        )
    )
    answer = timeline(site, USERS, user)
    assert (answer["sessions_in_range"], answer["first_seen"]) == (103, text_of(first))
    assert [each["session_id"] for each in answer["sessions"]] == [
        f"{user}-{number:03}" for number in range(102, 2, -1)
    ]


@pytest.mark.parametrize("limit", [1, 7, 1000])
def test_pages_hold_each_event_once(known: Known, limit: int) -> None:
    until = hour_start(now()) + HOUR
    for path, name, field in ((SESSIONS, "s-7", "session_id"), (USERS, "u-1", "user_id")):
        events = [event for event in known.between(until - 8_784 * HOUR, until) if event.get(field) == name]
        expected = sorted((datetime.fromisoformat(event["timestamp"]), event["event_id"]) for event in events)
        found = list(pages(known.site, path, name, limit=limit))
        listed = [event for page in found for event in page["events"]]
        shown = [(datetime.fromisoformat(event["timestamp"]), event["event_id"]) for event in listed]
        assert shown == (expected if path == SESSIONS else expected[::-1])
        assert {page["events_in_range"] for page in found} == {len(expected)}
        assert {(page["from"], page["to"]) for page in found} == {(found[0]["from"], found[0]["to"])}
        assert {len(page["events"]) for page in found[:-1]} <= {limit}


@pytest.mark.parametrize("odd", ODD)
def test_ids_hold_any_characters(site: Site, odd: str) -> None:
    name = odd if len(odd) == 256 else f"{odd}{unique('')}{odd}"
    site.send(an_event(session_id=name, user_id=name))
    assert timeline(site, SESSIONS, name)["session_id"] == name
    assert timeline(site, USERS, name)["user_id"] == name


@pytest.mark.parametrize("name", [".", "..", "a/../b"])
def test_an_id_that_clients_take_out_of_paths_is_a_parameter(site: Site, name: str) -> None:
    site.send(an_event(session_id=name, user_id=name))
    assert site.get(SESSIONS, session_id=name)["session_id"] == name
    assert site.get(USERS, user_id=name)["user_id"] == name


def test_slashes_need_not_be_encoded(site: Site) -> None:
    name = f"a/{unique('b')}/c"
    site.send(an_event(session_id=name))
    assert timeline(site, SESSIONS, name) == site.get(f"{SESSIONS}/{name}")
    refused(site.client.get(f"{SESSIONS}/{name}/"), 404, "not_found")


@pytest.mark.parametrize("path", [SESSIONS, USERS])
def test_what_is_not_there_cannot_be_asked_or_is_not_allowed(site: Site, guarded: Site, path: str) -> None:
    client: httpx.Client = site.client
    refused(client.get(f"{path}/{unique('nobody')}"), 404, "not_found")
    refused(client.get(path), 400, "invalid_parameter", {SESSIONS: "session_id", USERS: "user_id"}[path])
    refused(client.get(f"{path}/a%00b"), 400, "invalid_parameter", "id")
    refused(client.get(f"{path}/%ff"), 400, "malformed")
    refused(client.get(f"{path}/a?limit=1001"), 400, "invalid_parameter", "limit")
    refused(client.get(f"{path}/a?cursor=WyJhIl0="), 400, "invalid_parameter", "cursor")
    refused(client.get(f"{path}/a?event_type=b"), 400, "unknown_parameter", "event_type")
    refused(client.get(f"{path}/a?from=2024-01-01T00:00Z&to=2024-01-02T00:00Z"), 422, "expired", "to")
    refused(guarded.client.get(f"{path}/a"), 401, "unauthorized")
    refused(guarded.client.get(path), 401, "unauthorized")


@pytest.mark.parametrize("path", ["/api%2Fanalytics/sessions/s", "/api/analytics%2Fusers%2Fu"])
def test_slashes_before_the_id_are_not_encoded(client: httpx.Client, path: str) -> None:
    refused(client.get(path), 404, "not_found")
