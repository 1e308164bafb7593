"""Events as the list shows them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from tests.http.support.site import Json, Site

LIST = "/api/analytics/track"
FIELDS = (
    *("event_id", "event_type", "session_id", "user_id", "tool_name", "action"),
    *("properties", "demo_mode", "timestamp", "received_at"),
)
FAR = 700


def as_listed(events: list[Json]) -> list[Json]:
    """Return events as a list shows them, without the time of receipt."""
    shown = [
        {name: event.get(name) for name in FIELDS[:-1]} | {"demo_mode": event.get("demo_mode", True)}
        for event in events
    ]
    return sorted(
        shown, key=lambda event: (datetime.fromisoformat(event["timestamp"]), event["event_id"]), reverse=True
    )


def without_received(events: list[Json]) -> list[Json]:
    return [{name: value for name, value in event.items() if name != "received_at"} for event in events]


def pages(site: Site, **query: object) -> Iterator[Json]:
    """Give the answers from the first page to the last."""
    cursor: str | None = ""
    while cursor is not None:
        answer = site.get(LIST, **query, **({"cursor": cursor} if cursor else {}))
        yield answer
        cursor = answer["next_cursor"]


def matching(events: list[Json], filters: dict[str, object]) -> list[Json]:
    def passes(event: Json, name: str, value: object) -> bool:
        return bool(
            (event.get(name, True) is True) == (value == "true") if name == "demo_mode" else event.get(name) == value
        )

    return [event for event in events if all(passes(event, name, value) for name, value in filters.items())]
