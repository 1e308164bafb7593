"""The events of one demo, which its tests look at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.demo.events import DemoEvents
from service.ingest.event import Event

COUNT = 40_000
END = datetime(2026, 11, 24, 14, 20, tzinfo=UTC)


@pytest.fixture(scope="package")
def sent() -> list[Event]:
    return list(DemoEvents(COUNT, END))


@pytest.fixture(scope="package")
def events(sent: list[Event]) -> list[Event]:
    """Give each event once, in the order of their timestamps."""
    return sorted(set(sent), key=lambda event: event.timestamp)


@pytest.fixture(scope="package")
def sessions(events: list[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.session_id, []).append(event)
    return found


def is_sign_up(event: Event) -> bool:
    return event.event_type == "signed_up"
