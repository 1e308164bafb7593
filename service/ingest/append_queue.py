"""The queue of one shard. It holds parts, and takes as many of them into one commit as fit."""

from __future__ import annotations

import asyncio
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
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

    refusal: the outcome of events that a closed queue is given. due: set when parts wait, when it is unsure whether the
    shard takes events, and when the queue has closed.
    """

    open: bool
    refusal: str = UNAVAILABLE
    parts: deque[Part] = field(default_factory=deque)
    due: asyncio.Event = field(default_factory=asyncio.Event)

    def put(self, part: Part) -> None:
        """Add a part behind all others."""
        self.parts.append(part)
        self.due.set()

    def take(self) -> list[Part]:
        """Remove and return the oldest parts: as many as fit into one commit, at least one if any waits."""
        if not self.parts:
            self.due.clear()
            return []
        taken = [self.parts.popleft()]
        events, characters = len(taken[0].events), taken[0].characters
        while self.parts and _fits(
            events := events + len(self.parts[0].events), characters := characters + self.parts[0].characters
        ):
            taken.append(self.parts.popleft())
        if not self.parts:
            self.due.clear()
        return taken

    def reopen(self) -> None:
        """Take parts again."""
        self.open, self.refusal = True, UNAVAILABLE
        self.due.clear()

    def close(self, refusal: str) -> list[Part]:
        """Close the queue; remove and return the parts that wait."""
        self.open, self.refusal = False, refusal
        self.due.set()
        left = list(self.parts)
        self.parts.clear()
        return left


def shard_of(session_id: str, shards: int) -> int:
    """Return which of its site's shards a session has, from 0. It is the same in every process, on every platform."""
    return zlib.crc32(session_id.encode()) % shards


def shard_among(shards: Sequence[int], event: Event) -> int:
    """Return the shard of an event. shards: those of its site."""
    return shards[shard_of(event.session_id, len(shards))]


def divided(events: Sequence[Event], shards: Sequence[int]) -> Iterator[tuple[int, list[int]]]:
    """Divide the events of a site into parts that fit into one commit; give the shard and the places of each."""
    by_shard: dict[int, list[int]] = {}
    for place, event in enumerate(events):
        by_shard.setdefault(shard_among(shards, event), []).append(place)
    for shard, places in by_shard.items():
        yield from ((shard, some) for some in commits(events, places))


def commits(events: Sequence[Event], places: list[int]) -> list[list[int]]:
    """Divide the places of events into lists that each fit into one commit."""
    parts: list[list[int]] = [[]]
    characters = 0
    for place in places:
        characters += _characters(events[place])
        if parts[-1] and not _fits(len(parts[-1]) + 1, characters):
            parts.append([])
            characters = _characters(events[place])
        parts[-1].append(place)
    return parts


def _characters(event: Event) -> int:
    return len(event.properties or "")


def _fits(events: int, characters: int) -> bool:
    return events <= EVENTS_PER_COMMIT and characters <= CHARACTERS_PER_COMMIT
