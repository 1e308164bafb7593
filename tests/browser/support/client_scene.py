"""Where a fault of the browser client plays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.async_api import Browser, BrowserContext

from tests.conftest import Servers
from tests.http.support.site import Site


@dataclass(frozen=True)
class Scene:
    """The setting of a scenario: a browser, a shared service, and the means to start further services."""

    browser: Browser
    site: Site
    servers: Servers
    folder: Path

    @asynccontextmanager
    async def context(self, script: str = "") -> AsyncIterator[BrowserContext]:
        context = await self.browser.new_context()
        if script:
            await context.add_init_script(script)
        yield context
        await context.close()
