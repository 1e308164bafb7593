"""Open and read the other views, and get the events from which tests compute their numbers."""

from __future__ import annotations

import json

import asyncpg
from playwright.async_api import Page, Route, expect

from tests.http.support.site import Json, Site

KEPT = "select event_id, event_type, session_id, user_id, tool_name, action, timestamp, properties from events"


async def kept_events(site: Site) -> list[Json]:
    """Return the events of the log, oldest first."""
    connection = await asyncpg.connect(site.database_url)
    try:
        found = await connection.fetch(KEPT)
    finally:
        await connection.close()
    rows = [dict(row) | {"properties": json.loads(row["properties"] or "{}")} for row in found]
    return sorted(rows, key=lambda event: (event["timestamp"], event["event_id"]))


async def open_view(page: Page, site: Site, view: str, query: str = "") -> None:
    """Open a view by its address, and wait until it has its answer."""
    await page.goto(f"{site.running.url}/?view={view}{query}")
    await view_shown(page, view)


async def view_shown(page: Page, view: str) -> None:
    """Wait until a view no longer shows the answer to another question."""
    await expect(page.locator(f"#{view}")).to_be_visible()
    await expect(page.locator(f"#{view} .stale")).to_have_count(0)


async def answer_404(route: Route) -> None:
    """Answer 404, as a server without this path does."""
    await route.fulfill(status=404, json={"ok": False, "error": {"code": "not_found", "message": "nothing is served"}})
