"""What an answer of the service means for the events of a batch."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LATER = frozenset({408, 425, 429})
TOO_MUCH_AT_ONCE = frozenset({400, 403, 413})
# The service is not sure that it has stored the event.
UNSURE = "unavailable"
LONGEST_PAUSE = 300.0
LONGEST_TOLD_PAUSE = 3_600.0


@dataclass(frozen=True)
class Outcome:
    """What became of a batch.

    settled: places of the events that are done. refused: place, code and message of those among them that were dropped.
    pause: seconds to wait before the rest is sent; None to go on at once. is_told: the service said so. most: how many
    events to send at once; None for no change.
    """

    settled: Sequence[int] = ()
    refused: Sequence[tuple[int, str, str]] = ()
    is_failed: bool = False
    pause: float | None = None
    is_told: bool = False
    most: int | None = None


@dataclass
class Pauses:
    """How long to wait after a failure: twice as long each time, with some chance, or as long as the service says."""

    chance: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next(self, told: str | None = None) -> float:
        self.failures += 1
        if seconds := _seconds(told):
            return min(seconds, LONGEST_TOLD_PAUSE) + self.chance.random()
        longest = min(0.5 * 2.0 ** min(self.failures, 20), LONGEST_PAUSE)
        return longest * (0.5 + self.chance.random() / 2)


def outcome_of(count: int, status: int, body: bytes, headers: Mapping[str, str], pauses: Pauses) -> Outcome:
    """Return what an answer to a batch of `count` events means."""
    said = _decoded(body)
    ids = said.get("event_ids")
    told = headers.get("retry-after")
    errors = _errors_of(said, count)
    if isinstance(ids, list) and len(ids) == count and errors is not None:
        return _told_of_each(count, errors, told, pauses, is_ok=bool(said.get("ok")))
    if status in TOO_MUCH_AT_ONCE and count > 1:
        return Outcome(most=(count + 1) // 2)
    if 400 <= status < 500 and status not in LATER:
        error = said.get("error")
        told_of = error if isinstance(error, dict) else {"message": error or ""}
        code, message = str(told_of.get("code") or f"http_{status}"), str(told_of.get("message", ""))
        return Outcome(range(count), [(place, code, message) for place in range(count)])
    return _later(told, pauses)


def _told_of_each(
    count: int, errors: Mapping[int, tuple[str, str]], told: str | None, pauses: Pauses, *, is_ok: bool
) -> Outcome:
    unsure = {place for place, (code, _) in errors.items() if code == UNSURE}
    refused = [(place, code, message) for place, (code, message) in errors.items() if place not in unsure]
    settled = [place for place in range(count) if place not in unsure]
    if not unsure and is_ok:
        pauses.failures = 0
        return Outcome(settled, refused)
    return _later(told, pauses, settled, refused)


def _later(
    told: str | None, pauses: Pauses, settled: Sequence[int] = (), refused: Sequence[tuple[int, str, str]] = ()
) -> Outcome:
    return Outcome(settled, refused, is_failed=True, pause=pauses.next(told), is_told=bool(_seconds(told)))


def _seconds(told: str | None) -> int:
    """Return the seconds that Retry-After names; 0 when it names none. More digits than an hour needs are an hour."""
    return int(told[:9]) if told and told.isdecimal() else 0


def _errors_of(said: Mapping[str, Any], count: int) -> dict[int, tuple[str, str]] | None:
    """Return code and message by the place of the event; None when they cannot be understood."""
    found = {}
    errors = said.get("errors") or []
    for error in errors if isinstance(errors, list) else [errors]:
        match error:
            case {"index": int(place), "code": str(code)} if 0 <= place < count:
                found[place] = (code, str(error.get("message", "")))
            case _:
                return None
    return found


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
