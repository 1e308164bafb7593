"""Filters of reads, by the same names everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

from service.queries import switch

TEXTS = ("event_type", "tool_name", "action", "risk_mode")
NAMES = frozenset({*TEXTS, "demo_mode"})


@dataclass(frozen=True, slots=True)
class Filters:
    """What events must have, None for anything. The order is that of the queries' parameters."""

    event_type: str | None
    tool_name: str | None
    action: str | None
    risk_mode: str | None
    demo_mode: bool | None

    def __bool__(self) -> bool:
        """Whether any is asked for."""
        return any(value is not None for value in self.values())

    def values(self) -> tuple[str | bool | None, ...]:
        """Return them in order."""
        return astuple(self)


def filters(given: Mapping[str, str]) -> Filters:
    """Return the filters that are asked for; an empty text asks for nothing."""
    texts = {name: given.get(name) or None for name in TEXTS}
    return Filters(**texts, demo_mode=demo_mode_filter(given))


def demo_mode_filter(given: Mapping[str, str]) -> bool | None:
    """Return what `demo_mode` must be."""
    return switch(given, "demo_mode", default=True) if "demo_mode" in given else None
