"""Pages that use the browser client, and checks on their events."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, Page, Route

from tests.http.support.site import Json, Site, unique
from tests.support.waiting import until

PATH = "/client-test.html"
OUTBOX = "Object.keys(localStorage).filter((key) => key.startsWith('hourledger_outbox:')).length"


@dataclass
class Visitor:
    """A browser profile that visits a page with the client; `kind` is the type of all its events.

    attributes: of the script tag. origin: of the page; the service's own by default.
    """

    context: BrowserContext
    site: Site
    attributes: str = ""
    origin: str = ""
    kind: str = field(default_factory=lambda: unique("client"))

    def __post_init__(self) -> None:
        self.origin = self.origin or self.site.running.url

    async def visit(self, page: Page | None = None, *, path: str = PATH) -> Page:
        """Open the page, in a new tab unless one is given."""
        page = page or await self.context.new_page()
        script = f'<script src="{self.site.running.url}/h.js" {self.attributes}></script>'
        await self.serve(page, f"<!doctype html><title>test</title>{script}", path)
        return page

    async def serve(self, page: Page, html: str, path: str = PATH) -> None:
        async def fulfil(route: Route) -> None:
            await route.fulfill(body=html, content_type="text/html; charset=utf-8")

        await self.context.route(f"{self.origin}{path}", fulfil)
        await page.goto(self.origin + path)

    async def track(self, page: Page, count: int = 1, **fields: Any) -> list[str]:
        """Track `count` events on the page; return their ids."""
        script = "([kind, count, fields]) => Array.from({ length: count }, () => hourledger.track(kind, fields))"
        return list(await page.evaluate(script, [self.kind, count, fields]))

    async def flush(self, page: Page) -> None:
        await page.evaluate("hourledger.flush()")

    async def leave(self, page: Page) -> None:
        """Close the tab the way a visitor does."""
        # Closing the page would cancel a request that a route holds up.
        await self.context.unroute_all()
        async with page.expect_event("close"):
            await page.close(run_before_unload=True)

    async def stats(self, page: Page) -> Json:
        return dict(await page.evaluate("hourledger.stats()"))

    def stored(self) -> list[Json]:
        """Return the visitor's events from the service."""
        return self.site.listed(event_type=self.kind, hours=48)

    async def all_stored(self, page: Page, ids: list[str]) -> None:
        """Wait until the service has exactly these events, each once, and the client's outbox is empty."""
        await page.wait_for_function("hourledger.stats().queued === 0", timeout=60_000)
        await self.has(ids)

    async def has(self, ids: list[str]) -> None:
        found = await until(
            self.stored, f"{len(ids)} events of {self.kind} are stored", holds=lambda found: len(found) >= len(ids)
        )
        assert sorted(event["event_id"] for event in found) == sorted(ids)


async def waiting(page: Page) -> int:
    """Return how many events the browser's storage holds."""
    return int(await page.evaluate(OUTBOX))


async def history(page: Page) -> list[Json]:
    return list(json.loads(await page.evaluate("hourledger.exportEvents()")))
