"""What ends a command from outside ends it as Ctrl-C does, so that it leaves no server of its own running."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

# What `kill`, systemd and containers send, and what a terminal sends when it is closed.
ENDING = (signal.SIGTERM, signal.SIGHUP)


def end_as_ctrl_c() -> None:
    """Turn SIGTERM and SIGHUP into SIGINT from now on. As process 1, which has no default actions, too.

    A command that ends so early that it catches no KeyboardInterrupt prints nothing.

    SIGHUP stays ignored where it is, as under nohup.
    """
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.excepthook = _tell


@contextmanager
def unbroken() -> Iterator[None]:
    """Hold these signals and Ctrl-C back until the block has ended, for steps of which no half may stay."""
    if threading.current_thread() is not threading.main_thread():  # which no signal interrupts
        yield
        return
    came: list[int] = []
    heard = [each for each in (signal.SIGINT, *ENDING) if signal.getsignal(each) not in (signal.SIG_IGN, None)]
    before = {each: signal.signal(each, lambda number, _: came.append(number)) for each in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def _tell(kind: type[BaseException], error: BaseException, at: TracebackType | None) -> None:
    """Print the traceback of an error that nobody caught, but none when the command was told to end."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, at)


def _interrupt(_: int, __: FrameType | None) -> None:
    # A shell makes the jobs that it starts in the background ignore SIGINT.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.raise_signal(signal.SIGINT)
