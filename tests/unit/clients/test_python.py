"""What the package for Python makes of answers, of failures and of too many events. No request is sent."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from random import Random
from threading import Event, Thread
from typing import Any

import pytest
from hourledger_client import Client
from hourledger_client.answers import LONGEST_PAUSE, Outcome, Pauses, outcome_of
from hourledger_client.queue import BATCH_BYTES, Queue

Answer = tuple[int, Mapping[str, str], bytes]


def answer(texts: int, *errors: tuple[int, str], ok: bool = True) -> bytes:
    told = [{"index": index, "code": code, "message": "why"} for index, code in errors]
    return json.dumps({"ok": ok, "event_ids": ["id"] * texts, "errors": told}).encode()


def error(code: str) -> bytes:
    return json.dumps({"ok": False, "error": {"code": code, "message": "why"}}).encode()


CASES: list[tuple[int, int, bytes, dict[str, Any]]] = [
    (2, 200, answer(2), {"settled": [0, 1], "refused": []}),
    (2, 200, answer(2, (1, "expired")), {"settled": [0, 1], "refused": [(1, "expired", "why")]}),
    (2, 503, answer(2, (0, "unavailable"), ok=False), {"settled": [1], "refused": [], "is_failed": True}),
    (3, 413, b"too large", {"most": 2}),
    (1, 413, b"too large", {"settled": range(1), "refused": [(0, "http_413", "")]}),
    (2, 401, error("unauthorized"), {"settled": range(2), "refused": [(n, "unauthorized", "why") for n in range(2)]}),
    (2, 429, error("rate_limited"), {"is_failed": True}),
    (2, 503, error("unavailable"), {"is_failed": True}),
    (2, 200, b"<html>", {"is_failed": True}),
    (2, 200, b"[]", {"is_failed": True}),
    (1, 404, b'{"error": "Not Found"}', {"settled": range(1), "refused": [(0, "http_404", "Not Found")]}),
    (1, 403, b'{"error": {"code": 7}}', {"settled": range(1), "refused": [(0, "7", "")]}),
    # An answer that names no place or no code says nothing of any event.
    (1, 200, b'{"ok": true, "event_ids": ["id"], "errors": [{"code": "expired"}]}', {"is_failed": True}),
    (1, 200, b'{"ok": true, "event_ids": ["id"], "errors": [{"index": 0}]}', {"is_failed": True}),
    (1, 200, b'{"ok": true, "event_ids": ["id"], "errors": [{"index": 1, "code": "expired"}]}', {"is_failed": True}),
    (1, 200, b'{"ok": true, "event_ids": ["id"], "errors": "none"}', {"is_failed": True}),
    (1, 200, b'{"ok": true, "event_ids": ["id"], "errors": null}', {"settled": [0], "refused": []}),
]


@pytest.mark.parametrize(("count", "status", "body", "expected"), CASES)
def test_an_answer_settles_what_it_names(count: int, status: int, body: bytes, expected: dict[str, Any]) -> None:
    outcome = outcome_of(count, status, body, {}, Pauses())
    pause = outcome.pause
    assert (pause is not None) == outcome.is_failed
    assert outcome == Outcome(**expected, pause=pause)


def test_pauses_double_to_five_minutes_and_obey_the_service() -> None:
    pauses = Pauses(Random(1))
    waited = [pauses.next() for _ in range(15)]
    assert all(0.5 * 2**n * 0.5 <= pause <= 0.5 * 2**n for n, pause in enumerate(waited[:9], start=1))
    assert LONGEST_PAUSE / 2 <= waited[-1] <= LONGEST_PAUSE
    assert 7 <= pauses.next("7") < 8
    for odd in ("-5", "0", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"):
        assert LONGEST_PAUSE / 2 <= pauses.next(odd) <= LONGEST_PAUSE


def test_the_oldest_go_first_and_are_dropped_first() -> None:
    queue = Queue(3)
    assert [queue.put(name, b"x") for name in "abcd"] == [0, 0, 0, 1]
    assert list(queue.oldest(2)) == ["b", "c"]
    queue.remove(["b", "gone"])
    assert list(queue.oldest(9)) == ["c", "d"]
    large = Queue(3)
    for name in "ab":
        large.put(name, b"x" * BATCH_BYTES)
    assert list(large.oldest(9)) == ["a"]


def test_the_queue_is_bounded_in_bytes_too() -> None:
    queue = Queue(9, most_bytes=10)
    assert [queue.put(name, b"x" * 4) for name in "abc"] == [0, 0, 1]
    queue.remove(["b"])
    assert queue.put("d", b"x" * 6) == 0
    assert list(queue.oldest(9)) == ["c", "d"]
    assert queue.put("e", b"x" * 11) == 3
    assert len(queue) == 0


def client_of(answers: list[Answer | Exception], sent: list[list[str]], **given: Any) -> Client:
    """Return a client whose service gives these answers, then stores everything."""

    def post(_: str, key: str, body: bytes, timeout: float) -> Answer:
        ids = [event["event_id"] for event in json.loads(body)]
        sent.append(ids)
        told = answers.pop(0) if answers else (200, {}, answer(len(ids)))
        if isinstance(told, Exception):
            raise told
        return told

    return Client("http://stats.example", post=post, **{"pause": 0.0, **given})


def test_what_failed_is_sent_again_with_the_same_ids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pauses, "next", lambda *_: 0.0)
    sent: list[list[str]] = []
    client = client_of([OSError("no network"), ValueError("odd"), (302, {}, b""), (503, {}, b"")], sent)
    ids = [client.track("opened", session_id="s", event_id=f"e-{n}") for n in range(3)]
    assert client.flush()
    assert list(dict.fromkeys(each for batch in sent for each in batch)) == ids
    assert len(sent) >= 5
    assert client.stats() == (0, 3, 0, {})
    client.close()


def test_one_id_at_two_times_is_two_events() -> None:
    sent: list[list[str]] = []
    client = client_of([], sent, pause=60.0)
    for second in (1, 2, 1):
        client.track(
            "opened", session_id="s", event_id="e-1", timestamp=datetime(2026, 3, 1, 12, 0, second, tzinfo=UTC)
        )
    assert client.flush()
    assert sent == [["e-1", "e-1"]]
    client.close()


class Failing(Mapping[str, Any]):
    """Properties that cannot be read."""

    def __getitem__(self, _: str) -> Any:
        raise KeyError

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("no")

    def __len__(self) -> int:
        return 1


def test_track_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of([], [])
    assert client.track("opened", session_id="s", properties=Failing()) is None
    assert client.track("opened", session_id="s", timestamp="now") is None  # type: ignore[arg-type]
    with monkeypatch.context() as patch:
        patch.setattr(Thread, "start", lambda _: 1 / 0)
        assert client.track("opened", session_id="s") is None
    assert client.stats() == (0, 0, 3, {"failed": 3})
    assert client.track("opened", session_id="s")
    client.close()
    assert client.stats().sent == 1


def failing_once(headers: Mapping[str, str]) -> tuple[Client, list[list[str]]]:
    """Return a client with an event that failed once, so that a long pause begins, and what it has sent."""
    sent: list[list[str]] = []
    paused = Event()
    client = client_of([(503, headers, b"")], sent)
    client._pauses.failures = 20  # a pause of minutes comes next
    settle = client._settle

    def watched(names: list[str], outcome: Outcome) -> None:
        paused.set()
        settle(names, outcome)

    client._settle = watched  # type: ignore[method-assign]
    client.track("opened", session_id="s")
    assert paused.wait(30)
    return client, sent


def test_flush_ends_a_pause_of_the_client() -> None:
    client, sent = failing_once({})
    assert client.flush()
    assert len(sent) == 2
    client.close()


def test_flush_obeys_the_service_and_close_tries_once() -> None:
    client, sent = failing_once({"retry-after": "3600"})
    assert not client.flush(0.05)
    assert len(sent) == 1
    client.close()
    assert len(sent) == 2
    assert client.stats().queued == 0


def test_a_batch_that_is_too_large_is_halved() -> None:
    sent: list[list[str]] = []
    client = client_of([(413, {}, b"")], sent, pause=60.0)
    for n in range(7):
        client.track("opened", session_id="s", event_id=f"e-{n}")
    assert client.flush()
    assert [len(each) for each in sent] == [7, 4, 3]
    client.close()


def waiting_for(gate: Event, post: Callable[..., Answer]) -> Callable[..., Answer]:
    def held(*given: Any) -> Answer:
        gate.wait(30)
        return post(*given)

    return held


def test_the_queue_is_bounded_and_what_is_dropped_is_told() -> None:
    gate = Event()
    told: list[str] = []
    client = client_of([], [], most_waiting=5, on_error=lambda reason, _: told.append(reason))
    client.post = waiting_for(gate, client.post)
    for _ in range(8):
        client.track("opened", session_id="s")
    assert client.stats().queued == 5
    assert told == ["overflow"] * 3
    gate.set()
    client.close()
    assert client.stats().queued == 0


def test_a_failing_on_error_ends_nothing() -> None:
    def fail(_: str, __: str) -> None:
        raise RuntimeError

    client = client_of([(200, {}, answer(1, (0, "expired")))], [], on_error=fail)
    client.track("opened", session_id="s")
    assert client.flush()
    client.track("opened", session_id="s")
    assert client.flush()
    assert client.stats() == (0, 1, 1, {"expired": 1})
    client.close()


def test_after_close_it_begins_again() -> None:
    sent: list[list[str]] = []
    client = client_of([], sent)
    for count in (1, 2):
        client.track("opened", session_id="s")
        client.close()
        assert len(sent) == count


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_sends_its_own_events_only() -> None:
    sent: list[list[str]] = []
    gate = Event()
    client = client_of([], sent)
    client.post = waiting_for(gate, client.post)
    client.track("opened", session_id="s", event_id="parent")
    child = os.fork()
    if child == 0:
        gate.set()
        client.track("opened", session_id="s", event_id="child")
        os._exit(0 if client.flush() and sent == [["child"]] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    gate.set()
    assert client.flush()
    assert sent == [["parent"]]
    client.close()


def test_an_endpoint_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="not an http address: file:"):
        Client("file:///etc/passwd")


@pytest.mark.parametrize(("key", "named"), [("hls_1\n", r"'\\n'"), ("hls_…", "'…'")])
def test_a_key_that_no_header_carries_is_refused(key: str, named: str) -> None:
    with pytest.raises(ValueError, match=f"no header carries: {named}"):
        Client("http://stats.example", key)
