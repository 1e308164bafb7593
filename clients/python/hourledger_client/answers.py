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
    pause: seconds to wait before the rest is sent; None to go on at once. most: how many events to send at once; None
    for no change.
    """

    settled: Sequence[int] = ()
    refused: Sequence[tuple[int, str, str]] = ()
    is_failed: bool = False
    pause: float | None = None
    most: int | None = None


@dataclass
class Pauses:
    """How long to wait after a failure: twice as long each time, with some chance, or as long as the service says."""

    chance: random.Random = field(default_factory=random.Random)
    failures: int = 0

    def next(self, told: str | None = None) -> float:
        self.failures += 1
        if told is not None and told.isdecimal() and int(told) > 0:
            return min(int(told), LONGEST_TOLD_PAUSE) + self.chance.random()
        longest = min(0.5 * 2.0 ** min(self.failures, 20), LONGEST_PAUSE)
        return longest * (0.5 + self.chance.random() / 2)


def outcome_of(count: int, status: int, body: bytes, headers: Mapping[str, str], pauses: Pauses) -> Outcome:
    """Return what an answer to a batch of `count` events means."""
    said = _decoded(body)
    ids = said.get("event_ids")
    told = headers.get("retry-after")
    if isinstance(ids, list) and len(ids) == count:
        return _told_of_each(count, said, told, pauses)
    if status in TOO_MUCH_AT_ONCE and count > 1:
        return Outcome(most=(count + 1) // 2)
    if 400 <= status < 500 and status not in LATER:
        error = said.get("error") or {}
        code, message = error.get("code", f"http_{status}"), error.get("message", "")
        return Outcome(range(count), [(place, code, message) for place in range(count)])
    return Outcome(is_failed=True, pause=pauses.next(told))


def _told_of_each(count: int, said: dict[str, Any], told: str | None, pauses: Pauses) -> Outcome:
    errors = {error["index"]: error for error in said.get("errors", [])}
    unsure = {place for place, error in errors.items() if error["code"] == UNSURE}
    refused = [
        (place, error["code"], error.get("message", "")) for place, error in errors.items() if place not in unsure
    ]
    settled = [place for place in range(count) if place not in unsure]
    if not unsure and said.get("ok"):
        pauses.failures = 0
        return Outcome(settled, refused)
    return Outcome(settled, refused, is_failed=True, pause=pauses.next(told))


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
