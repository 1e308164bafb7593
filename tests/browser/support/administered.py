"""A service that an administrator looks at in a browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import BrowserContext, Locator, Page

from service.access.key_changes import create_key
from service.access.keys import Kind
from service.access.site_changes import add_site
from sql.database import Database
from tests.browser.support.insights import view_shown
from tests.browser.support.seeded import seeded_events
from tests.conftest import Servers
from tests.http.support.site import Site, new_site, now
from tests.support.waiting import wait_until


async def sign_in(context: BrowserContext, site: Site, key: str) -> None:
    """Sign a browser in to a service, with a key or the read token."""
    answer = await context.request.post(f"{site.running.url}/api/analytics/sign-in", data={"key": key})
    assert answer.ok, await answer.text()


class Administered:
    """A service with events, a second site, and an admin key for all sites."""

    def __init__(self, site: Site, key: str) -> None:
        self.site = site
        self.key = key
        self.url = site.running.url

    async def sign_in(self, context: BrowserContext) -> Page:
        """Sign a browser in; return a page of its settings."""
        await sign_in(context, self.site, self.key)
        page = await context.new_page()
        await page.goto(f"{self.url}/?view=settings&range=24h")
        await view_shown(page, "settings")
        return page


@asynccontextmanager
async def new_administered(servers: Servers, folder: Path) -> AsyncIterator[Administered]:
    """Run the service."""
    async with new_site(servers, folder, HOURLEDGER_EVENT_RETENTION_DAYS="30") as site:
        site.send(*seeded_events(now(), per_hour=5.0))
        database = Database(site.database_url, connections=1)
        await add_site(database, "blog", origins=["https://blog.example"])
        key = await create_key(database, Kind.ADMIN, None, label="of Anna")
        await database.close()
        site.client.headers["authorization"] = f"Bearer {key}"
        path = "/api/analytics/settings"
        wait_until(lambda: site.client.get(path).is_success, "the key is known")
        yield Administered(site, key)
        site.check_log()


def panel(page: Page, title: str) -> Locator:
    """Return the panel of the settings with a title."""
    return page.locator("#settings .panel", has=page.get_by_role("heading", name=title, exact=True))
