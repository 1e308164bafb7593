"""Whether the service refuses events for lack of room, and why: for metrics, and for the page."""

from __future__ import annotations

from service.access.limits import Limits
from service.ingest.admission import Admission

# queue: too many events wait. events, batches: bodies hold the whole budget. disk: it is full. key: the pages with one
# write key send more than it may.
REASONS = ("queue", "events", "batches", "disk", "key")
HEADER = b"hourledger-overloaded"


class Overload:
    """The state of one worker. A reason holds for a minute after the last refusal, the disk's while it is full."""

    def __init__(self, admission: Admission, limits: Limits) -> None:
        self._admission = admission
        self._limits = limits

    def reasons(self) -> frozenset[str]:
        """Return the reasons that hold now."""
        admission = self._admission
        holds = {
            "queue": admission.used_up,
            "events": admission.singles.used_up,
            "batches": admission.batches.used_up,
            "disk": admission.disk_full or (admission.disk is not None and admission.disk.full),
            "key": self._limits.key_used_up,
        }
        return frozenset(reason for reason in REASONS if holds[reason])
