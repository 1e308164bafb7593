"""The signals that stop a worker, held back until it serves, and then until its endless answers are ended.

A worker that is forked has the server's handlers at first, which would swallow them. Later they are the loop's, and
uvloop forgets what comes while it does not run: before the start, and between the start and the serving.
"""

from __future__ import annotations

import signal

STOPS = (signal.SIGTERM, signal.SIGINT)
# After the start is done, until the loop surely runs again.
HELD_SECONDS = 0.1


class Server:
    """The process that starts the workers, which inherit its pid; None where it is not known."""

    pid: int | None = None


def hold() -> None:
    """Keep what comes from now on until `let_through`."""
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def came() -> bool:
    """Tell whether any has come that is held back."""
    return not signal.sigpending().isdisjoint(STOPS)


def let_through() -> None:
    """Take what has come, and what will come."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
