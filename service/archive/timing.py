"""How long the steps of an answer took, gathered from wherever they are taken to whoever sends the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter

Seconds = dict[str, float]

_gathered: ContextVar[Seconds | None] = ContextVar("seconds of the steps of an answer", default=None)


@contextmanager
def gathered() -> Iterator[Seconds]:
    """Gather the seconds that `add` names, here and in tasks that begin within."""
    seconds: Seconds = {}
    token = _gathered.set(seconds)
    try:
        yield seconds
    finally:
        _gathered.reset(token)


def add(seconds: Mapping[str, float]) -> None:
    """Add to the seconds of each step; outside of `gathered`, nothing happens."""
    total = _gathered.get()
    if total is not None:
        for step, taken in seconds.items():
            total[step] = total.get(step, 0.0) + taken


class Steps:
    """How long each step of an answer takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def add(self, name: str, seconds: float) -> None:
        """Add to a step."""
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Add the time that the block takes to a step."""
        began = perf_counter()
        try:
            yield
        finally:
            self.add(name, perf_counter() - began)


def server_timing(seconds: Mapping[str, float]) -> str:
    """Return the value of the header Server-Timing, in milliseconds: https://www.w3.org/TR/server-timing/."""
    return ", ".join(f"{step};dur={1_000 * taken:.1f}" for step, taken in seconds.items())
