"""Visits to a small web product with three tools: the visitors, and their events from the first page to the last."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from service.ingest.event import Event

TOOLS = ("Portfolio", "Screener", "Backtest")
RISK_MODES = ("conservative", "balanced", "aggressive")
# The number of each type among a hundred events. The first event of a visit is always a page, and does not count.
TYPES = {"page_viewed": 40, "tool_used": 36, "feature_used": 14, "risk_mode_changed": 6, "report_exported": 4}
SIGNED_UP = "signed_up"
ACTIONS = {
    "Portfolio": ("rebalance", "add_holding", "compare"),
    "Screener": ("filter", "sort", "save_list"),
    "Backtest": ("run", "tune", "compare"),
}
FEATURES = ("alerts", "dark_mode", "notes", "search", "shortcuts")
SOURCES = ("direct", "newsletter", "search", "social")
MOST_EVENTS = 40
MEAN_EVENTS = 11.5
MEAN_GAP_SECONDS = 35.0
# A client begins another session after 30 minutes of silence.
LONGEST_GAP_SECONDS = 600.0
RETURNING = 0.55
MEMBERS = 0.4

_WEIGHTS = tuple(accumulate(TYPES.values()))
_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"
_SCRAMBLING = 2_654_435_761


class Visits:
    """Makes one visit after another, the same visits for the same seed. visitors: the number of visitors so far.

    A visitor is only a number, which also decides whether the visitor signs up. So there is no state to remember.
    """

    def __init__(self, seed: str, visitors: int = 0) -> None:
        self.visitors = visitors
        self._chance = random.Random(seed)  # noqa: S311  # the same for the same seed

    def visit(self, start: datetime) -> list[Event]:
        """Return the events of one session, in the order in which they happen."""
        visitor, is_new = self._visitor()
        member = _is_member(visitor)
        session = f"session_{_milliseconds(start)}_{''.join(self._chance.choices(_LETTERS, k=9))}"
        types = self._types(signs_up=is_new and member)
        known = member and not is_new
        favourite = self._chance.choices(TOOLS, (5, 3, 2))[0]
        mode = self._chance.choices(RISK_MODES, (3, 5, 2))[0]
        events = []
        for moment, kind in zip(self._moments(start), types, strict=False):
            known = known or kind == SIGNED_UP
            previous, mode = mode, self._mode_after(kind, mode)
            tool = favourite if self._chance.random() < 0.7 else self._chance.choice(TOOLS)
            details = self._details(kind, tool, mode, previous)
            user = f"user_{visitor}" if known else None
            events.append(Event(self._id(moment), session, user, kind, *details, not known, moment))
        return events

    def _visitor(self) -> tuple[int, bool]:
        """Return the next visitor, and whether it is new. Recent visitors are likelier to return."""
        if self.visitors and self._chance.random() < RETURNING:
            return self.visitors - int(self.visitors * self._chance.random() ** 2), False
        self.visitors += 1
        return self.visitors, True

    def _types(self, *, signs_up: bool) -> list[str]:
        length = min(1 + int(self._chance.expovariate(1 / (MEAN_EVENTS - 1))), MOST_EVENTS)
        types = ["page_viewed", *self._chance.choices(tuple(TYPES), cum_weights=_WEIGHTS, k=length - 1)]
        if signs_up:
            types.insert(self._chance.randint(1, length), SIGNED_UP)
        return types

    def _moments(self, start: datetime) -> Iterator[datetime]:
        moment = start
        while True:
            yield moment
            gap = 0.4 + self._chance.expovariate(1 / MEAN_GAP_SECONDS)
            moment += timedelta(milliseconds=int(1_000 * min(gap, LONGEST_GAP_SECONDS)))

    def _mode_after(self, kind: str, mode: str) -> str:
        others = [each for each in RISK_MODES if each != mode]
        return self._chance.choice(others) if kind == "risk_mode_changed" else mode

    def _details(self, kind: str, tool: str, mode: str, previous: str) -> tuple[str | None, str | None, str]:
        """Return tool name, action and properties, like the calls of the browser client."""
        choice = self._chance.choice
        if kind == "page_viewed":
            path = f"/{tool.lower()}"
            return path, "open", f'{{"path":"{path}","source":"{choice(SOURCES)}"}}'
        if kind == "tool_used":
            return tool, choice(ACTIONS[tool]), f'{{"milliseconds":{int(self._chance.lognormvariate(5.5, 0.8))}}}'
        if kind == "risk_mode_changed":
            return None, "change", f'{{"risk_mode":"{mode}","previous_mode":"{previous}"}}'
        if kind == "report_exported":
            return tool, "export", f'{{"format":"{choice(("csv", "pdf"))}"}}'
        if kind == SIGNED_UP:
            return None, "register", f'{{"plan":"{choice(("free", "free", "pro"))}"}}'
        return None, "use", f'{{"feature":"{choice(FEATURES)}"}}'

    def _id(self, moment: datetime) -> str:
        """Return `evt_` and a UUIDv7 in hex (RFC 9562, 5.7), like the ids of clients."""
        high, low = divmod(self._chance.getrandbits(74), 1 << 62)
        return f"evt_{_milliseconds(moment) << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)


def _is_member(visitor: int) -> bool:
    """Return whether a visitor signs up in the first visit."""
    return visitor * _SCRAMBLING % (1 << 32) < MEMBERS * (1 << 32)
