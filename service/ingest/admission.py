"""Bounds what waits to be stored, in events and in bytes. Bodies that are still arriving count, too."""

from __future__ import annotations

from service.errors import NotReady, QueueFull, Stopping

MOST_EVENTS = 50_000
MOST_BYTES = 64 * 1024 * 1024


class Admission:
    """Lets events and bodies wait, or refuses them at once.

    available: whether any shard takes events. stopping: whether the service is stopping.
    events, bytes: how much waits now.
    """

    def __init__(self) -> None:
        self.available = False
        self.stopping = False
        self.events = 0
        self.bytes = 0

    def check_room(self, events: int) -> None:
        """Check that `events` more may wait. Raises Stopping, NotReady or QueueFull."""
        if self.stopping:
            raise Stopping("the service is stopping; send it again")
        if not self.available:
            raise NotReady("the database is away, or takes no events; send it again")
        if self.events + events > MOST_EVENTS:
            raise QueueFull("too many events are waiting to be stored; send it again")

    def hold(self, count: int) -> None:
        """Count bytes of a body as waiting until `release`. Raises QueueFull."""
        if self.bytes + count > MOST_BYTES:
            raise QueueFull("too much is waiting to be stored; send it again")
        self.bytes += count

    def release(self, count: int) -> None:
        """Take back what `hold` counted."""
        self.bytes -= count
