"""A dashboard that is open, and what one can see on it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from playwright.async_api import ConsoleMessage, Error, Page, expect

from bench.batches import as_sent
from service.demo_events import demo_events
from tests.http.site import Json, Site, unique

CARDS = ("events", "sessions", "tool_uses", "event_types", "events_per_session")
# What a browser says that is no fault: forms without a user name, and answers that a test brings about.
HARMLESS = ("Password forms should have", "Failed to load resource")


@dataclass
class Dashboard:
    """A page, and what the browser had to complain about in it."""

    page: Page
    url: str
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        self.page.on("console", lambda message: self._said(message))  # noqa: PLW0108  # a built-in takes no attributes
        self.page.on("pageerror", lambda error: self._failed(error))  # noqa: PLW0108

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(HARMLESS):
            self.complaints.append(message.text)

    def _failed(self, error: Error) -> None:
        self.complaints.append(str(error))

    async def open(self, query: str = "") -> None:
        await self.page.goto(f"{self.url}/{query}")
        await self.settled()

    async def settled(self) -> None:
        """Return when all panels have been read."""
        await expect(self.page.locator("body")).not_to_have_attribute("aria-busy", "true")
        await expect(self.page.locator("#standing")).not_to_have_text("Loading …")

    async def card(self, metric: str) -> str:
        return await self.page.locator(f'[data-metric="{metric}"] .value').inner_text()

    async def bars(self, panel: str) -> dict[str, str]:
        """Return what the rows of a panel say."""
        rows = self.page.locator(f"#{panel} .bar")
        keys = await rows.locator(".key").all_text_contents()
        counts = await rows.locator(".count").all_text_contents()
        return dict(zip(keys, counts, strict=True))

    async def chart(self) -> list[str]:
        """Return the numbers of the chart's table, oldest first."""
        return await self.page.locator("#chart-table tbody tr td:nth-of-type(1)").all_text_contents()


def seeded(count: int, end: datetime, days: int) -> Iterator[Json]:
    """Give the demo's events as clients send them, repeats included."""
    return (json.loads(as_sent(event)) for event in demo_events(count, end, days=days))


def fill(site: Site, count: int, end: datetime, days: int) -> None:
    events = list(seeded(count, end, days))
    for start in range(0, len(events), 1_000):
        site.send(*events[start : start + 1_000])


# Words that break what is not careful.
MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
HOSTILE = (
    MARKUP,
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "\u202eright to left",
    "zero\u200bwidth",
    "👩‍👩‍👧‍👦 family",
    "a&b;\"'`${x}",
)


def hostile_events(at: str) -> list[Json]:
    """Return events with such words in every field."""
    return [
        {
            "event_id": unique("hostile"),
            "timestamp": at,
            "event_type": word,
            "session_id": word,
            "user_id": word,
            "tool_name": word,
            "action": word,
            "properties": {word: word, "long": "w" * 10_000},
        }
        for word in HOSTILE
    ] + [
        {
            "timestamp": at,
            "event_type": "risk_mode_changed",
            "session_id": "s",
            "properties": {"risk_mode": word},
        }
        for word in HOSTILE
    ]
