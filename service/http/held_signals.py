"""The signals that stop a worker, held back until it serves, and then until its streams have ended.

A forked worker first has the server's handlers, which would swallow them. Later the loop takes them. uvloop does so
only while it runs (https://github.com/MagicStack/uvloop/pull/296), so it loses a signal that comes before the start,
or between the start and the serving.
"""

from __future__ import annotations

import signal

STOPS = (signal.SIGTERM, signal.SIGINT)
# From the end of the start until the loop surely runs again.
HELD_SECONDS = 0.1


class Server:
    """The process that starts the workers, which inherit its pid; None when this process has no server."""

    pid: int | None = None


def hold() -> None:
    """Hold back the signals that come from now on, until `let_through`."""
    for number in STOPS:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)


def came() -> bool:
    """Return whether a signal is held back."""
    return not signal.sigpending().isdisjoint(STOPS)


def let_through() -> None:
    """Deliver the signals that were held back, and hold back no more."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
