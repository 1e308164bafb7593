"""One event in: what is answered, repeats, and that the event is there."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import httpx
import pytest

from tests.http.support.paths import TRACK
from tests.http.support.site import Site, an_event, now, refused, text_of, unique

MADE_ID = re.compile(r"evt_[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}")
OPTIONAL = ("event_id", "id", "user_id", "tool_name", "action", "properties", "demo_mode", "type")


def test_a_stored_event_is_answered_with_its_id(client: httpx.Client) -> None:
    event_id = unique("e")
    answer = client.post(TRACK, json=an_event(event_id=event_id))
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, "event_id": event_id}
    assert answer.headers["content-type"] == "application/json"


def test_an_event_without_an_id_gets_one(client: httpx.Client) -> None:
    first, second = (client.post("/e", json=an_event()).json() for _ in range(2))
    assert first == {"ok": True, "event_id": first["event_id"]}
    assert MADE_ID.fullmatch(first["event_id"])
    assert first["event_id"] != second["event_id"]
    # Ids of one millisecond have no order.
    milliseconds = slice(len("evt_"), len("evt_") + 12)
    assert first["event_id"][milliseconds] <= second["event_id"][milliseconds], "UUIDv7 sorts by time"


def test_an_event_is_listed_as_it_was_sent(site: Site) -> None:
    sent = an_event(
        event_id=unique("e"),
        session_id=unique("s"),
        user_id="ü" * 256,
        tool_name="Søk 🎵",
        action="\u2028<script>",
        demo_mode=False,
        properties={"a": [1, 2.5, None, True, {"ü": "\\u0000"}], "__proto__": {"x": 1}, "constructor": ""},
        at=now().replace(microsecond=123_456),
    )
    before = now()
    assert site.client.post("/e", json=sent).status_code == 200
    (listed,) = site.listed(session_id=sent["session_id"])
    received = datetime.fromisoformat(listed.pop("received_at"))
    assert listed == sent
    assert before - timedelta(seconds=1) <= received <= now() + timedelta(seconds=1)


def test_what_was_not_sent_is_null_and_demo_mode_is_true(site: Site) -> None:
    session = unique("s")
    site.send(an_event(session_id=session))
    (listed,) = site.listed(session_id=session)
    absent = ("user_id", "tool_name", "action", "properties")
    assert [listed[name] for name in absent] == [None] * 4
    assert listed["demo_mode"] is True


@pytest.mark.parametrize("path", [TRACK, "/e"])
def test_a_repeat_is_told_and_stored_once(site: Site, path: str) -> None:
    event = an_event(event_id=unique("e"), session_id=unique("s"))
    first = site.client.post(path, json=event).json()
    for again in (event, event | {"properties": {"other": 1}, "event_type": "closed"}):
        assert site.client.post("/e", json=again).json() == first | {"duplicate": True}
    (listed,) = site.listed(session_id=event["session_id"])
    assert listed["event_type"] == "opened"


def test_one_event_sent_by_many_at_once_is_stored_once(site: Site) -> None:
    event = an_event(event_id=unique("e"), session_id=unique("s"))
    with ThreadPoolExecutor(12) as senders:
        answers = list(senders.map(lambda _: site.client.post("/e", json=event).json(), range(24)))
    assert sum("duplicate" not in answer for answer in answers) == 1
    assert all(answer["ok"] and answer["event_id"] == event["event_id"] for answer in answers)
    assert len(site.listed(session_id=event["session_id"])) == 1


def test_id_is_another_name_of_event_id(client: httpx.Client) -> None:
    name = unique("e")
    event = an_event()
    assert client.post("/e", json=event | {"id": name}).json() == {"ok": True, "event_id": name}
    for again in ({"event_id": name}, {"id": name, "event_id": name}, {"id": name, "event_id": ""}):
        assert client.post("/e", json=event | again).json()["duplicate"] is True
    refused(client.post("/e", json=event | {"id": name, "event_id": "other"}), 400, "invalid_field", "event_id")


def test_the_same_moment_in_another_offset_is_the_same_event(client: httpx.Client) -> None:
    moment = now().replace(microsecond=0)
    event = an_event(event_id=unique("e"))
    for text, duplicate in (
        (moment.isoformat(), None),
        (f"{moment:%Y-%m-%dT%H:%M:%S.000000}", True),
        (f"{moment + timedelta(hours=5, minutes=30):%Y-%m-%dT%H:%M:%S}+05:30", True),
        (f"{moment:%Y-%m-%dT%H:%M:%S.000001Z}", None),
    ):
        assert client.post("/e", json=event | {"timestamp": text}).json().get("duplicate") is duplicate


def test_an_id_that_another_session_has_used_for_that_moment_is_refused(client: httpx.Client) -> None:
    event = an_event(event_id=unique("e"))
    assert client.post("/e", json=event).status_code == 200
    refused(client.post("/e", json=event | {"session_id": "s-2"}), 422, "id_reused", "event_id")
    assert client.post("/e", json=event).json()["duplicate"] is True


@pytest.mark.parametrize("name", OPTIONAL)
@pytest.mark.parametrize("absent", [None, ""])
def test_null_and_empty_mean_absent(site: Site, name: str, absent: str | None) -> None:
    session = unique("s")
    answer = site.client.post("/e", json=an_event(session_id=session) | {name: absent})
    assert MADE_ID.fullmatch(answer.json()["event_id"])
    (listed,) = site.listed(session_id=session)
    assert listed.get(name) in (None, True, answer.json()["event_id"])


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain;charset=UTF-8",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "nonsense",
        "",
        None,
    ],
)
def test_any_content_type_is_read_as_json(client: httpx.Client, content_type: str | None) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    answer = client.post("/e", content=json.dumps(an_event()), headers=headers)
    assert answer.status_code == 200


def test_an_event_can_be_read_the_moment_it_is_acked(site: Site) -> None:
    session = unique("s")
    for number in range(10):
        site.client.post("/e", json=an_event(session_id=session, at=now() + timedelta(microseconds=number)))
        assert len(site.listed(session_id=session)) == number + 1


def test_timestamps_and_ids_of_answers_are_those_of_the_database(site: Site) -> None:
    moment = now()
    event_id = site.client.post("/e", json=an_event(at=moment)).json()["event_id"]
    ((stored, shard),) = site.rows("select timestamp, shard from events where event_id = $1", event_id)
    assert (text_of(stored), shard) == (text_of(moment), 0)
