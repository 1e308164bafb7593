"""The events that wait, as JSON texts, bounded in number. Threads share it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from threading import Condition

BATCH_BYTES = 1_000_000


class Queue:
    """The oldest events come first. Beyond `most` the oldest are dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._texts: dict[str, bytes] = {}
        self._changed = Condition()

    def __len__(self) -> int:
        return len(self._texts)

    def put(self, event_id: str, text: bytes) -> int:
        """Add an event, or replace the one with its id; return how many were dropped."""
        with self._changed:
            self._texts[event_id] = text
            dropped = len(self._texts) - self._most
            for oldest in list(self._texts)[: max(dropped, 0)]:
                del self._texts[oldest]
            self._changed.notify_all()
        return max(dropped, 0)

    def oldest(self, most: int) -> dict[str, bytes]:
        """Return up to `most` events, as many as a request takes, but one in any case."""
        with self._changed:
            room = BATCH_BYTES
            taken: dict[str, bytes] = {}
            for event_id, text in self._texts.items():
                room -= len(text) + 1
                if len(taken) >= most or (taken and room < 0):
                    break
                taken[event_id] = text
            return taken

    def remove(self, event_ids: Collection[str]) -> None:
        with self._changed:
            for event_id in event_ids:
                self._texts.pop(event_id, None)
            self._changed.notify_all()

    def wake(self) -> None:
        """Let whoever waits look again."""
        with self._changed:
            self._changed.notify_all()

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Wait until there are events, or `is_over` when `wake` is called."""
        with self._changed:
            self._changed.wait_for(lambda: bool(self._texts) or is_over())

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until all events are gone; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._texts, seconds)
