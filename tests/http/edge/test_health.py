"""Liveness, readiness, and the metrics of all answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic

import httpx
import pytest

from sql.embedded.share import release, use
from tests.conftest import RETENTION_DAYS, folder_for_servers, running_service
from tests.http.support.samples import metrics, outcomes, requests, value
from tests.http.support.site import Json, Site, an_event, now, refused, unique
from tests.support import plain_http
from tests.support.waiting import is_ok, wait_until


def test_a_service_that_runs_is_live(client: httpx.Client) -> None:
    assert client.get("/health/live").json() == {"ok": True, "status": "live"}


def test_a_service_that_can_serve_is_ready(site: Site) -> None:
    site.wait_until_folded()
    assert site.get("/health/ready") == {"ok": True, "status": "ready", "lag_events": 0}


def test_requests_are_counted_and_timed_by_route_and_status(site: Site) -> None:
    asked = [
        ("POST", "/e", 200, {"json": an_event()}),
        ("POST", "/api/analytics/track", 400, {"content": b"x"}),
        ("POST", "/e/batch", 200, {"json": [an_event()]}),
        ("GET", "/api/analytics/track", 200, {}),
        ("GET", "/api/analytics/rollups", 200, {}),
        ("GET", "/api/analytics/rollups", 400, {"params": {"hours": "0"}}),
        ("GET", "/api/analytics/rollups/{hour}", 200, {}),
        ("GET", "/health/live", 200, {}),
        ("GET", "/health/ready", 200, {}),
        ("GET", "/", 200, {}),
        ("DELETE", "/e", 405, {}),
        ("HEAD", "/health/live", 200, {}),
    ]
    before = metrics(site)
    for method, route, status, sent in asked:
        path = route.replace("{hour}", "2025-10-18T01:00Z")
        assert site.client.request(method, path, **sent).status_code == status  # type: ignore[arg-type]
    after = metrics(site)
    for method, route, status, _ in asked:
        assert requests(after, method, route, status) - requests(before, method, route, status) == 1, (method, route)
        name = "hourledger_request_seconds_count"
        times = value(after, name, method=method, route=route) - value(before, name, method=method, route=route)
        assert times == sum((method, route) == each[:2] for each in asked)
    assert requests(after, "GET", "/metrics", 200) - requests(before, "GET", "/metrics", 200) == 1


def test_what_strangers_make_up_makes_no_new_series(site: Site) -> None:
    def ask(number: int) -> None:
        site.client.get(f"/nothing/{number}")
        site.client.get("/", headers={"host": f"evil-{number}.example"})
        site.client.request(f"METHOD{number}", "/e")
        site.client.get(f"/api/analytics/rollups/{number}")

    ask(0)
    before = metrics(site)
    for number in range(1, 5):
        ask(number)
    after = metrics(site)
    assert set(after) == set(before)
    assert requests(after, "GET", "none", 404) - requests(before, "GET", "none", 404) == 4
    assert requests(after, "GET", "none", 421) - requests(before, "GET", "none", 421) == 4
    assert requests(after, "other", "/e", 405) - requests(before, "other", "/e", 405) == 4


def test_events_are_counted_by_what_became_of_them(site: Site) -> None:
    event = an_event(event_id=unique("e"))
    before = metrics(site)
    for sent in (
        event,
        event,
        event | {"session_id": "s-2"},
        an_event(at=now() - timedelta(days=400)),
        an_event(at=now() + timedelta(days=2)),
        an_event(extra=1),
    ):
        site.client.post("/e", json=sent)
    site.client.post("/e", content=b"nonsense")
    single = metrics(site)
    expected = {"stored": 1, "duplicate": 1, "id_reused": 1, "expired": 1, "future": 1, "invalid": 2}
    assert outcomes(before, single) == expected
    site.client.post(
        "/e/batch",
        json=[
            an_event(),
            event,
            event | {"session_id": "s-2"},
            an_event(extra=1),
            1,
            an_event(at=now() + timedelta(days=2)),
        ],
    )
    site.client.post("/e/batch", content=b"nonsense")
    expected = {"stored": 1, "duplicate": 1, "id_reused": 1, "future": 1, "invalid": 2}
    assert outcomes(single, metrics(site)) == expected


def test_the_log_and_the_lag_are_told_by_shard(site: Site) -> None:
    projector = site.part("follow")
    wait_until(
        lambda: value(
            metrics(site), "hourledger_projection_lag_events", projection="hourly", site="default", shard="0"
        ),
        "all is folded",
        holds=lambda lag: lag == 0,
    )
    head = value(metrics(site), "hourledger_log_head", site="default", shard="0")
    projector.suspend()
    try:
        site.send(*(an_event() for _ in range(7)))
        told = metrics(site)
    finally:
        projector.resume()
    assert value(told, "hourledger_projection_lag_events", projection="hourly", site="default", shard="0") == 7
    assert value(told, "hourledger_log_head", site="default", shard="0") == head + 7
    assert value(told, "hourledger_database_up") == 1
    assert value(told, "hourledger_events_waiting") == 0
    assert value(told, "hourledger_projection_version", projection="hourly") == 1
    failed = {name: events for name, events in told.items() if name[0] == "hourledger_failed_proofs"}
    assert sorted(dict(labels)["state"] for _, labels in failed) == ["broken", "damaged", "drifted"]
    assert {*failed.values(), told["hourledger_overdue_days", ()]} == {0}


def test_metrics_hold_no_times_of_creation(site: Site) -> None:
    assert not [name for name, _ in metrics(site) if name.endswith("_created")]


class Lone:
    """A service with its own database server, so that a test can stop the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server = use(folder)
        self._opened = ExitStack()
        environment = {"HOURLEDGER_EVENT_RETENTION_DAYS": str(RETENTION_DAYS)}
        running = self._opened.enter_context(running_service(folder, self._server.url, port=None, **environment))
        client = self._opened.enter_context(plain_http.new_client(running.url))
        self.site = Site(running, self._server.url, client)

    @contextmanager
    def database_away(self) -> Iterator[None]:
        """Stop the server during the block; then start it and wait until the service uses it again."""
        release(self._server)
        try:
            yield
        finally:
            self._server = use(self._folder)
        wait_until(lambda: self.site.client.get("/health/ready"), "the service is ready again", holds=is_ok)

    def close(self) -> None:
        self._opened.close()
        release(self._server)


@pytest.fixture(scope="module")
def lone() -> Iterator[Lone]:
    with folder_for_servers() as folder:
        lone = Lone(folder)
        yield lone
        lone.close()


def answered_at_once(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask three times and return the first answer; one must take under 1 s, because a busy machine may delay others."""
    answers, seconds = [], []
    for _ in range(3):
        began = monotonic()
        answers.append(ask())
        seconds.append(monotonic() - began)
    assert min(seconds) < 1
    return answers[0]


def test_without_its_database_it_says_so_and_comes_back_by_itself(lone: Lone) -> None:
    client = lone.site.client
    event = an_event(event_id=unique("e"), session_id=unique("s"))
    before = metrics(lone.site)
    with lone.database_away():
        first = client.post("/e", json=event)
        refused(first, 503, "unavailable")
        assert int(first.headers["retry-after"]) > 0
        for ask in (
            lambda: client.post("/e", json=event),
            lambda: client.post("/e/batch", json=[event]),
            lambda: client.get("/e"),
            lambda: client.get("/api/analytics/rollups"),
            lambda: client.get("/api/analytics/rollups/2025-10-18T01:00Z"),
            lambda: client.get("/health/ready"),
        ):
            answer = answered_at_once(ask)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
            assert answer.headers["cache-control"] == "no-store"
            assert answer.json()["ok"] is False
        assert client.get("/health/live").status_code == 200
        assert client.get("/").status_code == 200
        told = metrics(lone.site)
        assert value(told, "hourledger_database_up") == 0
        assert requests(told, "POST", "/e", 503) - requests(before, "POST", "/e", 503) == 4
        assert outcomes(before, told)["unavailable"] == 7
    again = client.post("/e", json=event)
    assert again.status_code == 200
    assert len(lone.site.listed(session_id=event["session_id"])) == 1


def test_a_batch_that_could_not_be_stored_names_the_ids_to_send_again(lone: Lone) -> None:
    events = [an_event(event_id=unique("e")), an_event(extra=1), an_event()]
    with lone.database_away():
        # The service has not noticed yet that the database is away.
        answer = lone.site.client.post("/e/batch", json=events)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    body: Json = answer.json()
    assert (body["ok"], body["count"], body["stored"], body["rejected"]) == (False, 3, 0, 3)
    assert [error["code"] for error in body["errors"]] == ["unavailable", "unknown_field", "unavailable"]
    assert body["event_ids"][:2] == [events[0]["event_id"], None]
    again = [events[0], events[2] | {"event_id": body["event_ids"][2]}]
    assert lone.site.send(*again)["rejected"] == 0


def test_a_batch_sent_while_the_database_is_known_to_be_away_names_them_too(lone: Lone) -> None:
    with lone.database_away():
        assert lone.site.client.post("/e", json=an_event()).status_code == 503
        answer = lone.site.client.post("/e/batch", json=[an_event(event_id="e-1")])
    assert answer.status_code == 503
    assert answer.json()["event_ids"] == ["e-1"]
    assert [error["code"] for error in answer.json()["errors"]] == ["unavailable"]
