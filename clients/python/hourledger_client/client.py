"""The client: `track` takes an event and returns at once; a thread sends what waits."""

from __future__ import annotations

import asyncio
import atexit
import json
import logging
import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, NamedTuple, Self
from weakref import WeakMethod

from hourledger_client.answers import Outcome, Pauses, outcome_of
from hourledger_client.posting import Post, post
from hourledger_client.queue import Queue

log = logging.getLogger("hourledger_client")


class Stats(NamedTuple):
    """How many events wait, were stored, and were dropped, and why: a code of the service, `overflow` or `failed`."""

    queued: int
    sent: int
    dropped: int
    reasons: dict[str, int]


@dataclass(eq=False)
class Client:
    """Sends events to `endpoint`, such as https://stats.example.com/e, in batches of up to `batch`.

    key: a server key, if the site has one. most_waiting: events that wait at most; the oldest beyond are dropped.
    pause: seconds that an event waits for others. timeout: seconds for one request. patience: seconds that the end of
    the program waits for the last events. on_error: is told the reason and a detail of whatever was dropped.
    Raises ValueError for an endpoint that is no http address.
    """

    endpoint: str
    key: str = ""
    demo: bool = False
    batch: int = 1_000
    most_waiting: int = 10_000
    pause: float = 1.0
    timeout: float = 30.0
    patience: float = 5.0
    on_error: Callable[[str, str], None] | None = None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC), repr=False)
    post: Post = field(default=post, repr=False)

    def __post_init__(self) -> None:
        if not self.endpoint.startswith(("http://", "https://")):
            raise ValueError(f"the endpoint is not an http address: {self.endpoint}")
        self._address = f"{self.endpoint.rstrip('/')}/batch"
        self._queue = Queue(self.most_waiting)
        self._pauses = Pauses()
        self._most = self.batch
        self._sent = 0
        self._reasons: Counter[str] = Counter()
        self._begin()
        atexit.register(self.close)
        if hasattr(os, "register_at_fork"):
            begin = WeakMethod(self._begin_after_fork)
            os.register_at_fork(after_in_child=lambda: (found := begin()) and found())

    def track(  # noqa: PLR0913  # the fields of an event
        self,
        event_type: str,
        *,
        session_id: str,
        user_id: str | None = None,
        tool_name: str | None = None,
        action: str | None = None,
        properties: Mapping[str, Any] | None = None,
        demo_mode: bool | None = None,
        timestamp: datetime | None = None,
        event_id: str | None = None,
    ) -> str | None:
        """Take an event; return its id, or None when it cannot be sent. Never raises, and never waits for the network.

        timestamp: with an offset; now by default. event_id: your own; a call with the same of both counts
        once.
        """
        at = timestamp or self.now()
        event_id = event_id or f"evt_{int(at.timestamp() * 1e6)}_{secrets.token_hex(8)}"
        event = {
            "event_id": event_id,
            "event_type": event_type,
            "session_id": session_id,
            "user_id": user_id,
            "tool_name": tool_name,
            "action": action,
            "properties": None if properties is None else dict(properties),
            "demo_mode": self.demo if demo_mode is None else demo_mode,
            "timestamp": at.isoformat(),
        }
        try:
            text = json.dumps(event, allow_nan=False, ensure_ascii=False).encode()
        except (TypeError, ValueError, RecursionError) as error:
            self._drop("failed", f"{event_type}: {error}")
            return None
        self._start()
        for _ in range(self._queue.put(event_id, text)):
            self._drop("overflow", f"more than {self.most_waiting} events wait")
        if len(self._queue) >= self.batch:
            self._hurry.set()
        return event_id

    def flush(self, seconds: float = 30.0) -> bool:
        """Send what waits, now; return whether all of it was settled in that time."""
        self._hurry.set()
        return self._queue.wait_until_empty(seconds)

    async def flush_async(self, seconds: float = 30.0) -> bool:
        """The same without holding up the event loop."""
        return await asyncio.to_thread(self.flush, seconds)

    def close(self) -> None:
        """Send what waits, for `patience` seconds, and end. A later `track` begins again."""
        atexit.unregister(self.close)
        self.flush(self.patience)
        self._ended.set()
        self._hurry.set()
        self._queue.wake()
        if self._thread is not None:
            self._thread.join(1.0)

    def stats(self) -> Stats:
        return Stats(len(self._queue), self._sent, self._reasons.total(), dict(self._reasons))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.close)

    def _begin(self) -> None:
        self._starting = Lock()
        self._hurry = Event()
        self._ended = Event()
        self._thread: Thread | None = None

    def _begin_after_fork(self) -> None:
        """The parent sends what waited when it forked, and none of its threads and locks is here."""
        self._queue = Queue(self.most_waiting)
        self._begin()

    def _start(self) -> None:
        with self._starting:
            self._ended.clear()
            if self._thread is None or not self._thread.is_alive():
                self._thread = Thread(target=self._run, name="hourledger", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._queue.wait(self._ended.is_set)
            self._hurry.wait(self.pause)
            self._hurry.clear()
            while not self._ended.is_set() and (texts := self._queue.oldest(self._most)):
                self._settle(list(texts), self._offered(list(texts.values())))

    def _offered(self, texts: list[bytes]) -> Outcome:
        try:
            status, headers, body = self.post(self._address, self.key, b"[%s]" % b",".join(texts), self.timeout)
        except OSError as error:  # no network, no answer in time
            log.debug("hourledger: %s", error)
            return Outcome(is_failed=True, pause=self._pauses.next())
        return outcome_of(len(texts), status, body, headers, self._pauses)

    def _settle(self, event_ids: list[str], outcome: Outcome) -> None:
        for place, code, message in outcome.refused:
            self._drop(code, f"{event_ids[place]}: {message}")
        self._sent += len(outcome.settled) - len(outcome.refused)
        self._most = outcome.most or (self._most if outcome.is_failed else min(2 * self._most, self.batch))
        self._queue.remove([event_ids[place] for place in outcome.settled])
        if outcome.pause is not None:
            self._ended.wait(outcome.pause)

    def _drop(self, reason: str, detail: str) -> None:
        if not self._reasons[reason]:
            log.warning("hourledger: %s: %s", reason, detail)
        self._reasons[reason] += 1
        if self.on_error is None:
            return
        try:
            self.on_error(reason, detail)
        except Exception:  # the program's own, which must not end the thread that sends
            log.exception("hourledger: on_error failed")
