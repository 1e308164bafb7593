"""The signals that stop a worker, held back until the worker serves, and then until its streams have ended.

A forked worker first has the server's signal handlers, which would swallow a signal. Later uvloop handles signals, but
only while its loop runs (https://github.com/MagicStack/uvloop/pull/296). It would lose a signal that comes before or
between its runs.
"""

from __future__ import annotations

import signal

STOPS = (signal.SIGTERM, signal.SIGINT)
# Long enough after the start for the loop to run again.
HELD_SECONDS = 0.1


class Server:
    """The server process that forks the workers. They inherit its pid here; None without a server."""

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
    """Deliver the signals that were held back, and stop holding them back."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
