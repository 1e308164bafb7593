"""The queue of one shard, in parts that go into one commit together."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.ingest.event import Event

# Events of one transaction: enough to make the commit cheap, few enough to hold the head's lock for milliseconds.
EVENTS_PER_COMMIT = 500


@dataclass(slots=True, eq=False)
class Part:
    """Events of one request for one shard, and what became of each."""

    events: Sequence[Event]
    outcomes: asyncio.Future[list[str]]

    def settle(self, outcomes: list[str]) -> None:
        """Tell the sender what became of each event."""
        if not self.outcomes.done():  # its sender may have gone
            self.outcomes.set_result(outcomes)


@dataclass(slots=True)
class Queue:
    """The parts that wait for one shard. A closed queue takes none."""

    open: bool
    parts: deque[Part] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, part: Part) -> None:
        """Add a part behind all others."""
        self.parts.append(part)
        self.arrived.set()

    def take(self) -> list[Part]:
        """Remove and return the oldest parts, as many as fit into one commit, at least one."""
        taken = [self.parts.popleft()]
        room = EVENTS_PER_COMMIT - len(taken[0].events)
        while self.parts and len(self.parts[0].events) <= room:
            room -= len(self.parts[0].events)
            taken.append(self.parts.popleft())
        if not self.parts:
            self.arrived.clear()
        return taken

    def close(self) -> list[Part]:
        """Take no more parts; remove and return those that wait."""
        self.open = False
        self.arrived.clear()
        left = list(self.parts)
        self.parts.clear()
        return left


def commits(places: list[int]) -> list[list[int]]:
    """Cut places of events into pieces of at most one commit each."""
    return [places[start : start + EVENTS_PER_COMMIT] for start in range(0, len(places), EVENTS_PER_COMMIT)]
