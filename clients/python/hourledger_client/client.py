"""The client: `track` takes an event and returns at once; a thread sends what waits."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import IntEnum
from threading import Thread
from types import TracebackType
from typing import Any, NamedTuple, Self
from weakref import WeakMethod

from hourledger_client.answers import Outcome, Pauses, outcome_of
from hourledger_client.exits import at_exit
from hourledger_client.posting import Post, post
from hourledger_client.queue import Queue

log = logging.getLogger("hourledger_client")


class _Haste(IntEnum):
    """What ends a pause before its time: each of them ends those of the ones before, too."""

    NONE = 0
    BATCH = 1  # the pause in which others join an event
    FLUSH = 2  # the pause after a failure
    CLOSE = 3  # the pause that the service asked for


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
    the program waits for the last events. on_error: called with the reason and a detail of each loss.
    Raises ValueError for an endpoint that is no http address, and for a key that no header can carry.
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
        if not (self.key.isascii() and self.key.isprintable()):
            odd = next(each for each in self.key if not (each.isascii() and each.isprintable()))
            raise ValueError(f"the key has a character that no header carries: {odd!r}; copy the key without it")
        self._address = f"{self.endpoint.rstrip('/')}/batch"
        self._queue = Queue(self.most_waiting)
        self._pauses = Pauses()
        self._most = self.batch
        self._sent = 0
        self._reasons: Counter[str] = Counter()
        self._begin()
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
        try:
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
            text = json.dumps(event, allow_nan=False, ensure_ascii=False).encode()
            with self._queue.changed:
                self._start()
                dropped = self._queue.put(f"{event_id} {event['timestamp']}", text)
        except Exception as error:  # noqa: BLE001  # a mapping that fails, no new thread at the end of the program
            self._drop("failed", f"{event_type!r}: {error!r}")
            return None
        for _ in range(dropped):
            self._drop("overflow", f"more than {self.most_waiting} events, or 16 MiB of them, wait")
        if len(self._queue) >= self.batch:
            self._hasten(_Haste.BATCH)
        return event_id

    def flush(self, seconds: float = 30.0) -> bool:
        """Send what waits, now, or when the service wants it; return whether all was settled in that time."""
        self._hasten(_Haste.FLUSH)
        return self._queue.wait_until_empty(seconds)

    async def flush_async(self, seconds: float = 30.0) -> bool:
        """The same without holding up the event loop."""
        return await asyncio.to_thread(self.flush, seconds)

    def close(self) -> None:
        """Try once more to send what waits, go on for `patience` seconds, and end. A later `track` begins again."""
        self._hasten(_Haste.CLOSE)
        self._queue.wait_until_empty(self.patience)
        with self._queue.changed:
            self._ended = True
            self._queue.changed.notify_all()
            self._forget_exit()
            thread = self._thread
        if thread is not None:
            thread.join(1.0)

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
        self._ended = False
        self._haste = _Haste.NONE
        self._thread: Thread | None = None
        self._forget_exit: Callable[[], object] = lambda: None

    def _begin_after_fork(self) -> None:
        """The parent sends what waited when it forked, and none of its threads and locks is here."""
        self._forget_exit()
        self._queue = Queue(self.most_waiting)
        self._begin()

    def _start(self) -> None:
        with self._queue.changed:
            self._ended = False
            if self._thread is None or not self._thread.is_alive():
                thread = Thread(target=self._run, name="hourledger", daemon=True)
                thread.start()
                self._thread = thread
                self._forget_exit()
                self._forget_exit = at_exit(self.close)

    def _hasten(self, haste: _Haste) -> None:
        with self._queue.changed:
            self._haste = max(self._haste, haste)
            self._queue.changed.notify_all()

    def _wait(self, seconds: float, least: _Haste) -> None:
        """Wait, unless the program is in this haste at least, or has ended the client."""
        with self._queue.changed:
            self._queue.changed.wait_for(lambda: self._ended or self._haste >= least, seconds)
            self._haste = _Haste.NONE

    def _goes_on(self) -> bool:
        """Wait for events; return False when the client has ended instead, so that the next event begins again."""
        with self._queue.changed:
            self._queue.wait(lambda: self._ended)
            if self._ended:
                self._thread = None
            return not self._ended

    def _run(self) -> None:
        while self._goes_on():
            self._wait(self.pause, _Haste.BATCH)
            while not self._ended and (texts := self._queue.oldest(self._most)):
                self._settle(list(texts), self._offered(list(texts.values())))

    def _offered(self, texts: list[bytes]) -> Outcome:
        try:
            status, headers, body = self.post(self._address, self.key, b"[%s]" % b",".join(texts), self.timeout)
            return outcome_of(len(texts), status, body, headers, self._pauses)
        except Exception as error:  # whatever it is, the thread goes on and the events are kept
            level = logging.DEBUG if self._pauses.failures else logging.WARNING
            is_known = isinstance(error, OSError)
            log.log(level, "hourledger: events are kept, not sent: %s", error, exc_info=not is_known)
            return Outcome(is_failed=True, pause=self._pauses.next())

    def _settle(self, names: list[str], outcome: Outcome) -> None:
        for place, code, message in outcome.refused:
            self._drop(code, f"{names[place]}: {message}")
        self._sent += len(outcome.settled) - len(outcome.refused)
        self._most = outcome.most or (self._most if outcome.is_failed else min(2 * self._most, self.batch))
        self._queue.remove([names[place] for place in outcome.settled])
        if outcome.pause is not None:
            self._wait(outcome.pause, _Haste.CLOSE if outcome.is_told else _Haste.FLUSH)

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
