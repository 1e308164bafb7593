"""Every view tells that the server is gone and how old its numbers are, and asks again when it is back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.support.dashboard import check_accessible, in_both_schemes, open_dashboard
from tests.conftest import Servers
from tests.http.support.site import Site, an_event, new_site

LIES_ON_TOP = """() => {
  const banner = document.getElementById("gone");
  const { x, y, width, height } = banner.getBoundingClientRect();
  return document.elementFromPoint(x + width / 2, y + height / 2) === banner;
}"""


@pytest_asyncio.fixture
async def leaving(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service without events, whose HTTP part a test may kill."""
    async with new_site(servers, folder) as site:
        yield site


async def opened_views(page: Page, site: Site) -> dict[str, Page]:
    """Open the other views, each with its answer."""
    views = {"funnels": "&step=event_type+exists&step=tool_name+exists", "retention": ""}
    pages = {}
    for view, query in views.items():
        pages[view] = await page.context.new_page()
        await pages[view].goto(f"{site.running.url}/?view={view}{query}")
        await expect(pages[view].locator("#connection")).to_have_text("Live")
        await expect(pages[view].locator(f"#{view} .nothing")).to_be_visible()
    return pages


async def opened_timeline(page: Page, site: Site) -> Page:
    """Open a timeline over the overview."""
    timeline = await page.context.new_page()
    await timeline.goto(f"{site.running.url}/?session=s-1")
    await expect(timeline.locator("#timeline .said")).to_have_text("No events of this session are kept.")
    await expect(timeline.locator("#connection")).to_have_text("Live")
    return timeline


async def check_timeline(timeline: Page, artifacts: Path) -> None:
    """Check that an open timeline does not cover the banner, and leaves it to the page behind."""
    await expect(timeline.locator("#gone")).to_contain_text("The server does not answer", timeout=30_000)
    assert await timeline.evaluate(LIES_ON_TOP)
    await timeline.screenshot(path=artifacts / "gone-timeline.png")
    await timeline.keyboard.press("Escape")
    await expect(timeline.locator("main #gone")).to_be_visible()


@contextmanager
def without_http(site: Site) -> Iterator[None]:
    """Kill the HTTP part of a service, which comes back afterwards."""
    supervisor = psutil.Process(site.running.process.pid)
    supervisor.suspend()  # otherwise it restarts the part before the page notices
    try:
        http = site.part("http")
        workers = http.children(recursive=True)
        http.kill()  # kill it first, because it would start another worker
        for worker in workers:
            worker.kill()
        yield
    finally:
        supervisor.resume()


async def test_the_server_goes_and_comes_back(leaving: Site, page: Page, artifacts: Path) -> None:
    await open_dashboard(page, leaving)
    views = await opened_views(page, leaving)
    timeline = await opened_timeline(page, leaving)
    with without_http(leaving):
        await expect(page.locator("#gone")).to_contain_text("These numbers are from", timeout=30_000)
        await expect(page.locator("#connection")).to_have_text("The server does not answer")
        await expect(page.locator("#announcement")).to_have_text("The server does not answer.")
        await check_accessible(page)
        await in_both_schemes(page, artifacts, "gone")
        for view, each in views.items():
            await expect(each.locator("#gone")).to_contain_text("These numbers are from", timeout=30_000)
            await expect(each.locator("#connection")).to_have_text("The server does not answer")
            await check_accessible(each)
            await in_both_schemes(each, artifacts, f"gone-{view}")
        await check_timeline(timeline, artifacts)
        # A question that fails says so where its answer would stand, and none of an older question stays.
        await views["retention"].get_by_role("button", name="24 h").click()
        await expect(views["retention"].locator("#retention .said")).to_contain_text("The server does not answer")
        await expect(views["retention"].locator("#retention .triangle-place")).to_be_empty()
    async with views["funnels"].expect_response("**/api/analytics/funnels", timeout=60_000):
        await expect(views["funnels"].locator("#gone")).to_be_hidden(timeout=60_000)
    for view, each in views.items():
        await expect(each.locator("#connection")).to_have_text("Live", timeout=30_000)
        await expect(each.locator(f"#{view} .nothing")).to_be_visible()
        await expect(each.locator(f"#{view} .said")).to_be_hidden()
    await expect(page.locator("#gone")).to_be_hidden(timeout=60_000)
    await expect(page.locator("#connection")).to_have_text("Live", timeout=30_000)
    leaving.send(an_event())
    await expect(page.locator("#card-events .card-value")).to_have_text("1")
    await expect(page.locator("#empty")).to_be_hidden()
