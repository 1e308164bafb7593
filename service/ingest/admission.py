"""Bounds what waits to be stored: events, and the bytes of bodies. Bodies that are still arriving count, too."""

from __future__ import annotations

from collections import Counter
from time import monotonic

from service.errors import DiskFull, NotReady, QueueFull, Stopping
from service.ingest.disk_guard import DiskGuard
from service.ingest.outcomes import ON_FULL_DISK

MOST_EVENTS = 50_000
# Single events have a budget of their own, so that batches cannot take it.
MOST_SINGLE_BYTES = 16 * 1024 * 1024
MOST_BATCH_BYTES_WAITING = 64 * 1024 * 1024
# The part of a budget that bodies from one address may hold while they arrive.
SHARE_OF_ADDRESS = 4
# How long a budget counts as used up after it refused a body.
USED_UP_SECONDS = 60.0


class Budget:
    """The bytes that bodies of one kind may hold.

    name: of the kind, for messages. most: how many bytes may be held. bytes: how many are held now.
    """

    def __init__(self, name: str, most: int) -> None:
        self.name = name
        self.bytes = 0
        self.most = most
        self._arriving: Counter[str] = Counter()
        self._refused_at: float | None = None

    @property
    def used_up(self) -> bool:
        """Whether a body was refused lately because other bodies held the whole budget."""
        return _is_lately(self._refused_at)

    def hold(self, count: int) -> None:
        """Count bytes until `release`. Raises QueueFull."""
        if self.bytes + count > self.most:
            self._refused_at = monotonic()
            raise QueueFull(f"the {self.name} that wait to be stored are too large together; send it again")
        self.bytes += count

    def release(self, count: int) -> None:
        """Take back what `hold` counted."""
        self.bytes -= count

    def arrive(self, address: str, count: int) -> None:
        """Count bytes of a body from an address that is not complete yet, until `arrived`. Raises QueueFull."""
        if self._arriving[address] + count > self.most // SHARE_OF_ADDRESS:
            raise QueueFull(f"too many {self.name} from your address are not complete; send it again after those")
        self._arriving[address] += count

    def arrived(self, address: str, count: int) -> None:
        """Take back what `arrive` counted."""
        self._arriving[address] -= count
        if not self._arriving[address]:
            del self._arriving[address]


def _is_lately(moment: float | None) -> bool:
    return moment is not None and monotonic() - moment < USED_UP_SECONDS


class Admission:
    """Lets events and bodies wait, or refuses them at once.

    available: whether any shard takes events. disk_full: whether none does because PostgreSQL's disk is full.
    stopping: whether the service is stopping. events: how many wait now. singles, batches: the budgets of bodies.
    disk: the guard of the embedded server's disk, None for another server.
    """

    def __init__(self, disk: DiskGuard | None = None) -> None:
        self.disk = disk
        self.available = False
        self.disk_full = False
        self.stopping = False
        self.events = 0
        self._refused_at: float | None = None
        self.singles = Budget("events", MOST_SINGLE_BYTES)
        self.batches = Budget("batches", MOST_BATCH_BYTES_WAITING)

    @property
    def budgets(self) -> tuple[Budget, Budget]:
        """Both budgets."""
        return self.singles, self.batches

    @property
    def used_up(self) -> bool:
        """Whether events were refused lately because too many waited."""
        return _is_lately(self._refused_at)

    def check_room(self, events: int) -> None:
        """Check that `events` more may wait. Raises Stopping, DiskFull, NotReady or QueueFull."""
        if self.stopping:
            raise Stopping("the service is stopping; send it again")
        if self.disk is not None:
            self.disk.check()
        if self.disk_full:
            raise DiskFull(ON_FULL_DISK)
        if not self.available:
            raise NotReady("the database is away, or takes no events; send it again")
        if self.events + events > MOST_EVENTS:
            self._refused_at = monotonic()
            raise QueueFull("too many events are waiting to be stored; send it again")
