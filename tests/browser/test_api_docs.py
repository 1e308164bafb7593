"""The page of the API in a real browser that reaches only the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Locator, Page, Request, Route, expect

from tests.conftest import Servers
from tests.http.support.described import OPERATIONS
from tests.http.support.site import Site, new_site

TOKEN = "read-token-of-the-page"  # noqa: S105
KEY = "write-key-of-the-page"
# The status of a live answer in an operation's block.
STATUS = ".live-responses-table tbody .response-col_status"


class Watched:
    """A page with its errors and warnings, and its requests to hosts other than the service."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:", "blob:")):
            self.elsewhere.append(request.url)

    async def open(self) -> None:
        """Open the page, and wait until it lists the operations."""
        await self.page.route(lambda url: not url.startswith(f"{self.origin}/"), Route.abort)
        await self.page.goto(f"{self.origin}/schema")
        await expect(self.page.locator(".opblock")).to_have_count(len(OPERATIONS))

    async def tried(self, operation: str) -> Locator:
        """Open an operation, try it with the values filled in, and return its block with the answer."""
        block = self.page.locator(f"[id$='-{operation}']")
        await block.locator(".opblock-summary-control").click()
        await block.get_by_role("button", name="Try it out").click()
        await block.get_by_role("button", name="Execute").click()
        await expect(block.locator(STATUS)).to_be_visible()
        return block

    def check(self) -> None:
        """Fail when the page complained or sent a request to another host."""
        assert self.complaints == []
        assert self.elsewhere == []


async def status_of(block: Locator) -> str:
    return (await block.locator(STATUS).inner_text()).split()[0]


@pytest_asyncio.fixture(scope="module")
async def opened(site: Site, browser: Browser) -> AsyncIterator[Watched]:
    """Give the opened page to the tests that change nothing of each other's, because it takes a second to open."""
    context = await browser.new_context()
    watched = Watched(await context.new_page(), site.running.url)
    await watched.open()
    yield watched
    await context.close()


async def test_it_opens_offline_and_lists_everything(opened: Watched, artifacts: Path) -> None:
    page = opened.page
    for operation in OPERATIONS:
        block = page.locator(f"[id$='-{operation.told['operationId']}']")
        await expect(block.locator(".opblock-summary-path")).to_have_attribute("data-path", operation.path)
        await expect(block.locator(".opblock-summary-method")).to_have_text(operation.method)
    await page.screenshot(path=artifacts / "page.png", full_page=True)
    opened.check()


async def test_examples_can_be_tried(opened: Watched, artifacts: Path) -> None:
    for operation in ("trackShort", "listEvents", "readRollup"):
        block = await opened.tried(operation)
        assert await status_of(block) == "200", operation
        await block.screenshot(path=artifacts / f"{operation}.png")
    opened.check()


async def test_a_stream_is_not_tried(opened: Watched) -> None:
    block = opened.page.locator("[id$='-watchLog']")
    await block.locator(".opblock-summary-control").click()
    await expect(block.locator(".opblock-description")).to_contain_text("Server-sent events")
    await expect(block.get_by_role("button", name="Try it out")).to_have_count(0)
    opened.check()


@pytest_asyncio.fixture
async def guarded(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    async with new_site(servers, folder, HOURLEDGER_READ_TOKEN=TOKEN, HOURLEDGER_WRITE_KEY=KEY) as site:
        yield site


async def test_what_is_given_to_authorize_is_sent(guarded: Site, context: BrowserContext, artifacts: Path) -> None:
    page = await context.new_page()
    watched = Watched(page, guarded.running.url)

    async def with_token(route: Route) -> None:
        await route.continue_(headers=await route.request.all_headers() | {"authorization": f"Bearer {TOKEN}"})

    # Add the token to requests for the page itself, as a proxy or a browser extension does.
    await page.route(f"{guarded.running.url}/schema**", with_token)
    await watched.open()
    assert await status_of(await watched.tried("listRollups")) == "401"
    await page.get_by_role("button", name="Authorize").first.click()
    for scheme, secret in (("readToken", TOKEN), ("writeKeyHeader", KEY)):
        form = page.locator(".auth-container", has=page.locator("h4", has_text=scheme)).first
        await form.locator("input").fill(secret)
        await form.get_by_role("button", name="Apply credentials").click()
    await page.screenshot(path=artifacts / "authorize.png")
    await page.get_by_role("button", name="Close").first.click()
    rollups = page.locator("[id$='-listRollups']")
    await rollups.get_by_role("button", name="Execute").click()
    await expect(rollups.locator(STATUS)).to_contain_text("200")
    assert await status_of(await watched.tried("track")) == "200"
    # The browser logs an error for each answer with status 401.
    assert [said for said in watched.complaints if "401" not in said] == []
    assert watched.elsewhere == []
