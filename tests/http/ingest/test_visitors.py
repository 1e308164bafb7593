"""What the service tells about visitors of pages: on whose events it is, and that nobody else can say it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.browser.conftest import VISITOR
from tests.http.conftest import WRITE_KEY
from tests.http.support.site import Json, Site, an_event, refused, unique

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1"
    " Mobile/15E148 Safari/604.1"
)
DESK = {"$browser": "Chrome", "$os": "Linux", "$device": "desktop"}
LETTER = {"utm_source": "letter", "utm_medium": "email"}
OWN = {"$browser": "Netscape"}


def page_of(site: Site, agent: str = VISITOR) -> dict[str, str]:
    """Return the headers of a page of the service itself."""
    return {"origin": site.running.url, "user-agent": agent}


def stored(site: Site, session: str) -> list[Json | None]:
    """Return the properties of the events of a session, oldest first."""
    return [event["properties"] for event in site.listed(session_id=session)][::-1]


@pytest.fixture
def session() -> str:
    return unique("visitor")


def test_all_events_of_a_page_tell_the_browser_and_those_with_a_link_the_source(site: Site, session: str) -> None:
    sent = [
        an_event(session_id=session, event_type="page_viewed", properties={"referrer": "https://www.google.com/"}),
        an_event(session_id=session, event_type="page_viewed", properties={"referrer": site.running.url + "/a"}),
        an_event(
            session_id=session, event_type="page_viewed", properties={"utm_source": "letter", "utm_medium": "email"}
        ),
        an_event(session_id=session, event_type="page_viewed"),
        an_event(session_id=session, event_type="opened", properties={"referrer": 5, "a": "$"}),
        an_event(session_id=session, event_type="opened"),
    ]
    answer = site.client.post("/e/batch", json=sent, headers=page_of(site))
    assert answer.json()["stored"] == len(sent)
    sources: list[Json] = [
        {"$source": "Google", "$channel": "search"}, {}, {"$source": "letter", "$channel": "email"},
        {"$channel": "direct"}, {}, {},
    ]  # fmt: skip
    assert stored(site, session) == [
        event.get("properties", {}) | DESK | source for event, source in zip(sent, sources, strict=True)
    ]


def test_a_program_tells_nothing_of_a_visitor(site: Site, session: str) -> None:
    event = an_event(session_id=session, event_type="page_viewed", properties={"referrer": "https://www.google.com/"})
    site.client.post("/e", json=event, headers={"user-agent": VISITOR})
    assert stored(site, session) == [event["properties"]]


@pytest.mark.parametrize("kind", ["page", "program", "key of the environment"])
def test_no_visitor_can_send_what_the_service_tells(site: Site, guarded: Site, session: str, kind: str) -> None:
    asked, headers = {
        "page": (site, page_of(site)),
        "program": (site, {}),
        "key of the environment": (guarded, {"x-write-key": WRITE_KEY}),
    }[kind]
    spoofed = an_event(session_id=session, properties={"a": 1} | OWN)
    message = refused(
        asked.client.post("/e", json=spoofed, headers=headers), 400, "invalid_field", "properties.$browser"
    )
    assert "leave it out, or send the event with a server key" in message
    written = json.dumps([spoofed, an_event(session_id=session)]).replace("$browser", "\\u0024browser")
    answer = asked.client.post("/e/batch", content=written, headers=headers).json()
    assert (answer["stored"], answer["rejected"]) == (1, 1)
    assert answer["errors"] == [
        {"index": 0, "code": "invalid_field", "message": message, "field": "properties.$browser"}
    ]


def test_a_repeat_from_another_network_and_browser_is_a_duplicate(site: Site, session: str) -> None:
    event = an_event(session_id=session, event_id=unique("event"))
    first = site.client.post("/e", json=event, headers=page_of(site))
    again = page_of(site, PHONE) | {"x-forwarded-for": "203.0.113.9"}
    repeat = site.client.post("/e", json=event, headers=again)
    assert (first.json()["ok"], repeat.json()["duplicate"]) == (True, True)
    assert stored(site, session) == [DESK]


def test_an_export_of_what_the_service_told_can_be_imported_again(site: Site, session: str, tmp_path: Path) -> None:
    # As large as an event may be, so that it is larger with what the service tells.
    large = {"a": "x" * (16_384 - len('{"a":""}'))}
    site.client.post("/e", json=an_event(session_id=session, properties=large), headers=page_of(site))
    exported = site.client.get("/api/analytics/export", params={"format": "ndjson", "session_id": session}).content
    file = tmp_path / "events.ndjson"
    file.write_bytes(exported)
    assert "read 1 = 0 stored + 1 duplicate" in site.run("import", str(file)).stdout
    other = unique("other")
    file.write_text(exported.decode().replace(session, other).replace("evt_", "again_"))
    assert "read 1 = 1 stored" in site.run("import", str(file)).stdout
    assert stored(site, other) == stored(site, session) == [large | DESK]


def test_a_large_event_is_told_beside_the_loop(site: Site, session: str) -> None:
    large = {"a": "x" * 9_000}
    for properties, status in ((large, 200), (large | OWN, 400)):
        event = an_event(session_id=session, properties=properties)
        assert site.client.post("/e", json=event, headers=page_of(site)).status_code == status
    assert stored(site, session) == [large | DESK]
