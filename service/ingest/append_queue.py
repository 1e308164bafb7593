"""The queue of one shard. It holds parts, and takes as many of them into one commit as fit."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from service.ingest.event import Event
from service.ingest.outcomes import UNAVAILABLE

# Enough events to make a commit cheap, and few enough to hold the head's lock for milliseconds only.
EVENTS_PER_COMMIT = 500
# The same for properties, in characters. 500 events may have 8 million, which take PostgreSQL a second or two.
CHARACTERS_PER_COMMIT = 1_000_000


@dataclass(slots=True, eq=False)
class Part:
    """Events of one request for one shard, and the outcome of each."""

    events: Sequence[Event]
    outcomes: asyncio.Future[list[str]]
    characters: int = field(init=False)

    def __post_init__(self) -> None:
        self.characters = sum(map(_characters, self.events))

    def settle(self, outcomes: list[str]) -> None:
        """Give the sender the outcome of each event."""
        if not self.outcomes.done():  # the sender may have gone
            self.outcomes.set_result(outcomes)


@dataclass(slots=True)
class Queue:
    """The parts that wait for one shard. A closed queue takes none.

    refusal: the outcome of events that a closed queue is given.
    """

    open: bool
    refusal: str = UNAVAILABLE
    parts: deque[Part] = field(default_factory=deque)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, part: Part) -> None:
        """Add a part behind all others."""
        self.parts.append(part)
        self.arrived.set()

    def take(self) -> list[Part]:
        """Remove and return the oldest parts: at least one, and as many as fit into one commit."""
        taken = [self.parts.popleft()]
        events, characters = len(taken[0].events), taken[0].characters
        while self.parts and _fits(
            events := events + len(self.parts[0].events), characters := characters + self.parts[0].characters
        ):
            taken.append(self.parts.popleft())
        if not self.parts:
            self.arrived.clear()
        return taken

    def reopen(self) -> None:
        """Take parts again."""
        self.open, self.refusal = True, UNAVAILABLE

    def close(self, refusal: str) -> list[Part]:
        """Close the queue; remove and return the parts that wait."""
        self.open, self.refusal = False, refusal
        self.arrived.clear()
        left = list(self.parts)
        self.parts.clear()
        return left


def commits(events: Sequence[Event], places: list[int]) -> list[list[int]]:
    """Divide the places of events into lists that each fit into one commit."""
    divided: list[list[int]] = [[]]
    characters = 0
    for place in places:
        characters += _characters(events[place])
        if divided[-1] and not _fits(len(divided[-1]) + 1, characters):
            divided.append([])
            characters = _characters(events[place])
        divided[-1].append(place)
    return divided


def _characters(event: Event) -> int:
    return len(event.properties or "")


def _fits(events: int, characters: int) -> bool:
    return events <= EVENTS_PER_COMMIT and characters <= CHARACTERS_PER_COMMIT
