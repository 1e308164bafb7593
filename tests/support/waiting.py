"""Wait for what another process, or another task, does in its own time; a wait in vain tells what it saw last."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from inspect import isawaitable
from time import monotonic, sleep
from typing import Any, TypeVar, overload

import httpx
import pytest

T = TypeVar("T")
# How long a busy machine may take.
PATIENCE = 180
# The first pause between two looks, and the longest. A look costs the service that is asked as much CPU time as a
# request, so a wait that lasts looks less often.
PAUSE, LONGEST_PAUSE = 0.01, 0.2


def wait_until(
    read: Callable[[], T], what: str, seconds: float = PATIENCE, *, holds: Callable[[T], object] = bool
) -> T:
    """Return what `read()` gives once `holds` is true of it; fail after `seconds` with what it gave last."""
    began = monotonic()
    while not holds(seen := read()):
        if monotonic() > began + seconds:
            _fail(what, seconds, seen)
        sleep(_pause(began))
    return seen


@overload
async def until(
    read: Callable[[], Awaitable[T]], what: str, seconds: float = PATIENCE, *, holds: Callable[[T], object] = bool
) -> T: ...
@overload
async def until(
    read: Callable[[], T], what: str, seconds: float = PATIENCE, *, holds: Callable[[T], object] = bool
) -> T: ...
async def until(
    read: Callable[[], Any], what: str, seconds: float = PATIENCE, *, holds: Callable[[Any], object] = bool
) -> Any:
    """Do the same as `wait_until` while other tasks run; `read` may be asynchronous."""
    began = monotonic()
    while not holds(seen := await _value(read())):
        if monotonic() > began + seconds:
            _fail(what, seconds, seen)
        await asyncio.sleep(_pause(began) / 4)
    return seen


def _pause(began: float) -> float:
    """Return a tenth of the time that the wait has lasted, within bounds."""
    return min(max(PAUSE, (monotonic() - began) / 10), LONGEST_PAUSE)


async def _value(given: Any) -> Any:
    return await given if isawaitable(given) else given


def is_ok(answer: httpx.Response | None) -> bool:
    """Tell whether a service answered 200."""
    return answer is not None and answer.status_code == httpx.codes.OK


def _fail(what: str, seconds: float, seen: object) -> None:
    told = f"{seen} {seen.text}" if isinstance(seen, httpx.Response) else str(seen)
    pytest.fail(f"waited {seconds:g} s in vain until {what}; saw last: {told[-2000:]}")
