"""The events that wait, as JSON texts, bounded in number and in bytes. Threads share it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection
from threading import Condition

BATCH_BYTES = 1_000_000
MOST_BYTES = 16 * 2**20


class Queue:
    """The oldest events come first. Beyond `most`, or `most_bytes` of their texts, the oldest are dropped.

    changed: notified of every change, and the lock of whatever goes with the queue.
    """

    def __init__(self, most: int, most_bytes: int = MOST_BYTES) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._texts: OrderedDict[str, bytes] = OrderedDict()
        self.changed = Condition()

    def __len__(self) -> int:
        return len(self._texts)

    def put(self, name: str, text: bytes) -> int:
        """Add an event, unless one of this name waits; return how many were dropped."""
        dropped = 0
        with self.changed:
            if name in self._texts:
                return 0
            self._texts[name] = text
            self._bytes += len(text)
            while len(self._texts) > self._most or self._bytes > self._most_bytes:
                self._bytes -= len(self._texts.popitem(last=False)[1])
                dropped += 1
            self.changed.notify_all()
        return dropped

    def oldest(self, most: int) -> dict[str, bytes]:
        """Return up to `most` events, as many as a request takes, but one in any case."""
        with self.changed:
            room = BATCH_BYTES
            taken: dict[str, bytes] = {}
            for name, text in self._texts.items():
                room -= len(text) + 1
                if len(taken) >= most or (taken and room < 0):
                    break
                taken[name] = text
            return taken

    def remove(self, names: Collection[str]) -> None:
        with self.changed:
            for name in names:
                self._bytes -= len(self._texts.pop(name, b""))
            self.changed.notify_all()

    def wait(self, is_over: Callable[[], bool]) -> None:
        """Wait until there are events, or `is_over` after a change."""
        with self.changed:
            self.changed.wait_for(lambda: bool(self._texts) or is_over())

    def wait_until_empty(self, seconds: float) -> bool:
        """Wait until all events are gone; return whether they are."""
        with self.changed:
            return self.changed.wait_for(lambda: not self._texts, seconds)
