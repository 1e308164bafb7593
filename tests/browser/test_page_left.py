"""How long a page was in sight, and how far down it was seen (`page_left`)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.support.client import Visitor, history
from tests.http.support.site import Json, Site, now, unique
from tests.support.waiting import until

ATTRIBUTES = 'data-auto="views leave" data-send-to-backend="false"'
TALL = """() => {
    document.body.style.height = `${4 * innerHeight}px`;
    document.body.style.margin = 0;
}"""
SCROLL = """to => new Promise((resolve) => {
    addEventListener("scroll", () => resolve(), { once: true });
    scrollTo(0, to * innerHeight);
})"""
HIDE = """hidden => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => hidden });
    document.dispatchEvent(new Event("visibilitychange"));
}"""
END = "dispatchEvent(new PageTransitionEvent('pagehide'))"


def about(seconds: float) -> Any:
    """The page's clock also goes on by itself."""
    return pytest.approx(seconds + 1, abs=1)


async def opened(context: BrowserContext, site: Site) -> Page:
    """Open a page whose clock the test moves."""
    page = await context.new_page()
    await page.clock.install(time=now())
    return await Visitor(context, site, ATTRIBUTES).visit(page, path="/long")


async def left(page: Page) -> list[Json]:
    return [event["properties"] for event in await history(page) if event["event_type"] == "page_left"]


async def test_the_time_in_sight_and_the_depth_are_told(context: BrowserContext, site: Site) -> None:
    page = await opened(context, site)
    await page.evaluate(TALL)
    await page.clock.fast_forward(12_000)
    await page.evaluate(SCROLL, 1)
    await page.evaluate(SCROLL, 0)
    await page.evaluate(HIDE, True)
    assert await left(page) == [{"path": "/long", "seconds": about(12), "scroll": 50}]
    await page.clock.fast_forward(60_000)
    await page.evaluate(HIDE, False)
    await page.clock.fast_forward(5_500)
    await page.evaluate("history.pushState(null, '', '/next')")
    await page.clock.fast_forward(3_000)
    await page.evaluate(END)
    await page.evaluate(HIDE, True)
    assert (await left(page))[1:] == [
        {"path": "/long", "seconds": about(5.5), "scroll": 50},
        {"path": "/next", "seconds": about(3), "scroll": 25},
    ]


async def test_leaving_a_page_neither_begins_a_session_nor_prolongs_one(context: BrowserContext, site: Site) -> None:
    page = await opened(context, site)
    await page.clock.fast_forward(40 * 60_000)
    await page.evaluate(END)
    await page.evaluate("hourledger.track('next')")
    view, leaving, following = await history(page)
    assert leaving["properties"]["seconds"] == about(2_400)
    assert leaving["session_id"] == view["session_id"] != following["session_id"]
    await page.evaluate("hourledger.reset()")
    await page.clock.fast_forward(1_000)
    await page.evaluate(END)
    assert len(await left(page)) == 1, "there is no session that it could belong to"


async def test_a_closed_tab_tells_it_too(context: BrowserContext, site: Site) -> None:
    path = f"/{unique('left')}"
    visitor = Visitor(context, site, 'data-auto="views leave"')
    page = await visitor.visit(path=path)
    # It is in sight for as long as this takes.
    await page.wait_for_function("performance.now() > 200")
    await visitor.leave(page)
    (event,) = await until(
        lambda: [each for each in site.listed(event_type="page_left") if each["properties"]["path"] == path],
        "the end of the view is stored",
    )
    assert event["properties"]["seconds"] > 0
    (view,) = site.listed(tool_name=path)
    assert view["session_id"] == event["session_id"]
