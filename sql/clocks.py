"""A reading of the clocks of this machine, from which the database tells how much time passed (R13)."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from uuid import uuid4

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of the clocks.

    boot: names a start of the machine; readings with the same name compare their seconds, and others do not.
    seconds: since that start. They go on while the machine sleeps, and nobody can set them.
    service: the clock of this process. None: only the database's clock counts.
    database: for tests, the database's clock. None: the database reads its own.
    """

    boot: str
    seconds: float
    service: datetime | None = None
    database: datetime | None = None


def read_clocks() -> Reading:
    """Read the clocks of this machine."""
    # Only Linux counts the time that the machine slept, and names the start. Elsewhere readings of one process compare.
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Reading(_boot(), time.clock_gettime(clock), datetime.now(UTC))


@cache
def _boot() -> str:
    try:
        return BOOT_ID.read_text(encoding="ascii").strip()
    except OSError:
        return uuid4().hex
