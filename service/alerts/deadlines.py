"""How long sending a message may take."""

from __future__ import annotations

from time import monotonic

# For one attempt: less than the shortest pause, so that no other worker sends it meanwhile.
ATTEMPT_SECONDS = 45.0
# For what runs in a thread, which goes on when nobody waits any more: less than the wait, so that what was sent is
# recorded as sent.
THREAD_SECONDS = 30.0


def thread_end() -> float:
    """Return until when what begins now in a thread may say something, in seconds of time.monotonic."""
    return monotonic() + THREAD_SECONDS


def seconds_to(end: float) -> float:
    """Return how many seconds are left, more than 0. Raises TimeoutError when none are."""
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError(f"{THREAD_SECONDS:g} s are over")
    return left
