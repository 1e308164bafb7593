"""One hour with its proof: the meaning of each state, and a digest that depends on the log alone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from operator import not_
from pathlib import Path

import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.support.proven_hour import BUSY, Hour, projector_stopped
from tests.http.support.site import (
    HOUR,
    Json,
    Site,
    an_event,
    hour_start,
    new_site,
    now,
    refusal,
    text_of,
    unique,
)
from tests.support.waiting import wait_until


@pytest_asyncio.fixture(scope="module")
async def proving(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    async with new_site(servers, folder) as site:
        yield site
        site.check_log()


@pytest.fixture(scope="module")
def hours() -> Iterator[datetime]:
    """Give hours that are over, each with two neighbours that no other test uses, even if an hour ends meanwhile."""
    newest = hour_start(now())
    return (newest - ago * HOUR for ago in count(40, 3))


@pytest.fixture
def unseen(proving: Site, hours: Iterator[datetime]) -> Hour:
    """Give an hour without events."""
    return Hour(proving, next(hours))


@pytest.fixture
def hour(unseen: Hour) -> Iterator[Hour]:
    """Give a verified hour, because the projector then leaves it alone for some minutes, whatever changes."""
    for number in range(3):
        unseen.send(event_id=f"e-{number}", properties={"n": number})
    unseen.folded()
    unseen.verify()
    wait_until(lambda: unseen.site.rows(BUSY), "no other verification of it is under way", holds=not_)
    yield unseen
    assert unseen.site.get("/health/ready")["status"] == "ready", "each test leaves all in order"


def test_an_hour_is_open_until_it_is_verified_which_happens_by_itself(unseen: Hour) -> None:
    with projector_stopped(unseen.site):
        for number in range(3):
            unseen.send(event_id=f"e-{number}")
        before = unseen.proof()
        began = now() - timedelta(seconds=1)
    assert (before["state"], before["events"], before["verified_at"]) == ("open", 3, None)
    wait_until(unseen.proof, "the hour is verified", holds=lambda proof: proof["state"] == "verified")
    after = unseen.proof()
    assert after == before | {"state": "verified", "verified_at": after["verified_at"]}
    assert began <= datetime.fromisoformat(after["verified_at"]) <= now() + timedelta(seconds=1)


def test_a_verification_is_told_with_its_time(hour: Hour) -> None:
    before = hour.proof()
    began = now() - timedelta(seconds=1)
    hour.verify()
    after = hour.proof()
    assert after == before | {"state": "verified", "verified_at": after["verified_at"]}
    assert began <= datetime.fromisoformat(after["verified_at"]) <= now() + timedelta(seconds=1)


def test_a_late_event_opens_a_verified_hour_again(hour: Hour) -> None:
    before = hour.proof()
    hour.send(event_id="late")
    after = hour.proof()
    assert (after["state"], after["events"]) == ("open", 4)
    assert after["digest"] != before["digest"]
    hour.folded()
    assert hour.proof()["state"] == "open"
    hour.verify()
    assert hour.proof()["state"] == "verified"


def test_an_hour_is_open_until_its_event_is_folded_even_while_it_is_verified(hour: Hour) -> None:
    with projector_stopped(hour.site):
        hour.send(event_id="unfolded")
        hour.verify()
        assert hour.shown()["rollup"]["total_events"] == hour.proof()["events"] == 4
        assert hour.proof()["state"] == "open"
    hour.folded()
    hour.verify()
    assert hour.proof()["state"] == "verified"


def test_what_stores_nothing_changes_no_proof(hour: Hour) -> None:
    before = hour.proof()
    hour.send(event_id="e-1", properties={"other": True})
    hour.site.client.post("/e", json=an_event(at=hour.start + timedelta(minutes=20), event_id="e-1", session_id="s-9"))
    hour.site.send(an_event(at=hour.start + HOUR), an_event(at=hour.start - timedelta(microseconds=1)))
    assert hour.proof() == before


def test_a_changed_rollup_is_drifted_until_it_is_rebuilt(hour: Hour) -> None:
    before = hour.proof()
    hour.site.rows("update hourly_counts set events_15 = events_15 + 5 where hour = $1", hour.start)
    assert hour.proof() == before, "nobody has looked since"
    told = hour.verify(code=1)
    assert "event_counts" in told
    assert "stored 8, recounted 3" in told
    assert hour.proof()["state"] == "drifted"
    assert hour.proof()["digest"] == before["digest"]
    assert hour.shown()["differences"] == [
        {
            "shard": 0,
            "field": "event_counts",
            "bucket": text_of(hour.start + timedelta(minutes=15)),
            "key": "opened",
            "stored": "8",
            "recounted": "3",
        }
    ]
    assert hour.shown()["more_differences"] == 0
    ready = hour.site.get("/health/ready")
    assert ready["status"] == "degraded"
    assert "drifted: 1 hour;" in ready["degraded"][0]
    hour.run("rebuild", 0)
    assert hour.proof()["state"] in ("open", "verified"), "nobody has looked since, or just now"
    assert hour.site.get("/health/ready")["status"] == "ready"
    hour.verify()
    wait_until(lambda: hour.site.rows(BUSY), "no other verification of it is under way", holds=not_)
    assert hour.proof() == before | {"verified_at": hour.proof()["verified_at"]}
    assert set(hour.shown()) == {"ok", "rollup", "proof"}


def test_a_changed_event_is_damage_that_no_rebuild_hides(hour: Hour) -> None:
    before = hour.proof()
    hour.change_an_event('{"n": 7}')
    hour.verify(code=1)
    damaged = hour.proof()
    assert damaged == before | {"state": "damaged", "verified_at": damaged["verified_at"]}
    assert "damaged: 1 hour;" in hour.site.get("/health/ready")["degraded"][0]
    differences = {each["field"]: each for each in hour.shown()["differences"]}
    assert set(differences) == {"digest_high", "digest_low"}
    halves = [int(differences[f"digest_{half}"]["stored"]) % 2**64 for half in ("high", "low")]
    assert "".join(f"{half:016x}" for half in halves) == before["digest"]
    hour.run("rebuild", 1)
    assert hour.proof()["state"] == "damaged"
    hour.change_an_event('{"n": 1}')
    hour.verify()
    assert hour.proof()["state"] == "verified"


def digest_of(*events: Json) -> str:
    """Compute the documented digest of events: sums of the halves of a SHA-256 over a canonical text."""
    high = low = 0
    for event in events:
        moment = datetime.fromisoformat(event["timestamp"])
        micros = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
        texts = [event.get(name) for name in ("event_id", "session_id", "user_id", "event_type", "tool_name", "action")]
        canonical = json.dumps(
            [*texts, event.get("properties"), event.get("demo_mode", True), micros], ensure_ascii=False
        )
        digest = sha256(canonical.encode()).digest()
        high += int.from_bytes(digest[:8])
        low += int.from_bytes(digest[8:16])
    return f"{high % 2**64:016x}{low % 2**64:016x}"


def test_the_digest_can_be_computed_by_anyone(proving: Site) -> None:
    hour = Hour(proving, hour_start(now()) - 30 * HOUR)
    first, second = timedelta(microseconds=1), timedelta(minutes=59, seconds=59, microseconds=999_999)
    events = [
        an_event(at=hour.start + first, event_id="d-1", user_id="ü", tool_name='"\\', action="a\n\t\u007f/"),
        an_event(at=hour.start + second, event_id="d-2", properties={"a": [1, None, {"ü": "\u2028"}]}, demo_mode=False),
        an_event(at=hour.start, event_id="d-3", properties={}),
    ]
    for sent in range(3):
        proving.send(events[sent])
        assert hour.proof()["digest"] == digest_of(*events[: sent + 1])


def test_an_hour_that_is_not_over_is_open_though_it_was_verified(proving: Site) -> None:
    hour = Hour(proving, hour_start(now()) + 2 * HOUR)
    hour.send()
    hour.folded()
    hour.verify()
    assert hour.proof()["state"] == "open"
    assert hour.proof()["verified_at"] is not None


def test_an_hour_without_events_is_a_rollup_of_zeros(proving: Site) -> None:
    start = hour_start(now()) - 24 * 400 * HOUR
    assert proving.get(f"/api/analytics/rollups/{text_of(start)}") == {
        "ok": True,
        "rollup": {
            "hour": text_of(start),
            "event_counts": {},
            "tool_usage": {},
            "risk_distribution": {},
            "unique_sessions": 0,
            "total_events": 0,
        },
        "proof": {"state": "open", "events": 0, "digest": "0" * 32, "verified_at": None, "sealed_at": None},
    }


def test_the_log_cannot_be_changed_by_an_ordinary_statement(proving: Site) -> None:
    proving.send(an_event(session_id=unique("s")))
    for statement in ("update events set action = 'x'", "delete from events", "truncate events"):
        with pytest.raises(Exception, match="append-only"):
            proving.rows(statement)


def test_a_path_below_an_hour_is_nothing(proving: Site) -> None:
    answer = proving.client.get(f"/api/analytics/rollups/{text_of(now())[:13]}:00Z/more")
    assert answer.status_code == 404
    refusal(answer.json(), "not_found")
