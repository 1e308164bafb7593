"""The queues of all shards. They tell the admission whether any takes events, and whether the disk is why none does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from service.ingest.admission import Admission
from service.ingest.append_queue import Part, Queue
from service.ingest.event import Event
from service.ingest.outcomes import DISK_FULL, UNAVAILABLE

log = structlog.get_logger(__name__)


class Queues:
    """Queues by shard. admission: it counts what waits in them."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._by_shard: dict[int, Queue] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._by_shard)

    def __contains__(self, shard: int) -> bool:
        """Return whether a shard has a queue."""
        return shard in self._by_shard

    def __getitem__(self, shard: int) -> Queue:
        """Return the queue of a shard."""
        return self._by_shard[shard]

    @property
    def closed(self) -> list[int]:
        """The shards whose queue is closed, ascending."""
        return sorted(shard for shard, queue in self._by_shard.items() if not queue.open)

    def add(self, shard: int, *, opens: bool) -> None:
        """Make the queue of a shard. One that is made while the disk is full refuses events for that reason."""
        full = self._admission.disk_full and not opens
        self._by_shard[shard] = Queue(opens, DISK_FULL if full else UNAVAILABLE)
        self._tell_admission()

    def put(self, shard: int, events: Sequence[Event]) -> Part:
        """Let events of one request wait for a shard, or settle them at once when it is closed."""
        part = Part(events, asyncio.get_running_loop().create_future())
        queue = self._by_shard[shard]
        self._admission.events += len(events)
        if queue.open:
            queue.put(part)
        else:
            self.settle(part, [queue.refusal] * len(events))
        return part

    def settle(self, part: Part, outcomes: list[str]) -> None:
        """Give the sender the outcomes of a part, which waits no longer."""
        self._admission.events -= len(part.events)
        part.settle(outcomes)

    def open(self, shard: int) -> None:
        """Let a shard take events again, because a commit got through."""
        if not self._by_shard[shard].open:
            log.info("events can be appended again", shard=shard)
            self._by_shard[shard].reopen()
            self._tell_admission()

    def close(self, shard: int, refusal: str) -> None:
        """Settle all that waits for a shard as not known to be stored. Refuse events until a commit gets through.

        The fault may be the whole database's, which a shard without events would not notice. So the other shards are
        tried. When the disk is full they are closed, too, because a trial takes no room and could not tell.
        """
        self._close(shard, refusal)
        for other, queue in self._by_shard.items():
            if queue.open and refusal == DISK_FULL:
                self._close(other, refusal)
            elif queue.open:
                queue.due.set()
        self._tell_admission()

    def _close(self, shard: int, refusal: str) -> None:
        log.warning("events cannot be appended", shard=shard, waiting=self._admission.events)
        for part in self._by_shard[shard].close(refusal):
            self.settle(part, [refusal] * len(part.events))

    def _tell_admission(self) -> None:
        queues = self._by_shard.values()
        self._admission.available = any(queue.open for queue in queues)
        self._admission.disk_full = all(queue.refusal == DISK_FULL for queue in queues)
