"""The browser client leaves the site room in its storage: a million characters are the most that it takes."""

from __future__ import annotations

from playwright.async_api import BrowserContext, Page

from tests.browser.support.client import Visitor, history, waiting
from tests.browser.support.client_faults import FULL
from tests.http.support.site import Site

BUDGET = 1_000_000
TAKEN = """Object.entries(localStorage).reduce((sum, [key, text]) => sum + key.length + text.length, 0)"""
LARGE = {"stack": "y" * 5_000}
# Tells how much the largest map of the page has held at last.
MAPS = """
    const maps = new Set(), set = Map.prototype.set;
    Map.prototype.set = function (...given) { maps.add(this); return set.apply(this, given); };
    globalThis.largest = () => Math.max(...[...maps].map((map) => map.size));
"""


async def taken(page: Page) -> int:
    """Return how many characters the site's storage holds."""
    return int(await page.evaluate(TAKEN))


async def test_a_history_of_large_events_keeps_the_newest_that_fit(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, 'data-send-to-backend="false"')
    page = await visitor.visit()
    ids = await visitor.track(page, 400, properties=LARGE)
    kept = await history(page)
    assert await taken(page) <= BUDGET
    assert [event["event_id"] for event in kept] == ids[-len(kept) :]
    assert len(kept) > 100


async def test_a_blocked_endpoint_does_not_fill_the_storage(context: BrowserContext, site: Site) -> None:
    """The client drops the oldest events, also from its memory, and counts them; the newest are stored later."""
    await context.add_init_script(MAPS)
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await context.route("**/e/batch", lambda route: route.abort("blockedbyclient"))
    ids = await visitor.track(page, 400, properties=LARGE)
    assert await taken(page) <= BUDGET
    dropped = (await visitor.stats(page))["reasons"]["overflow"]
    assert await waiting(page) == 400 - dropped > 100
    assert await page.evaluate("largest()") == 400 - dropped
    await context.unroute("**/e/batch")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await visitor.all_stored(page, ids[dropped:])


async def test_the_history_gives_way_to_events_that_wait(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await context.route("**/e/batch", lambda route: route.abort("blockedbyclient"))
    for count in range(0, 150, 10):
        await visitor.track(page, 10, properties=LARGE)
        await history(page)
        assert await taken(page) <= BUDGET
        assert await waiting(page) == count + 10
    assert (await visitor.stats(page))["dropped"] == 0
    assert 0 < len(await history(page)) < 60


async def test_what_an_earlier_client_left_is_cut(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await page.evaluate("localStorage.setItem('cv_analytics_events', JSON.stringify(['x'.repeat(4_000_000)]))")
    await visitor.track(page)
    assert await taken(page) <= BUDGET


async def test_in_a_full_storage_an_event_takes_the_place_of_the_history(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await context.route("**/e/batch", lambda route: route.abort("blockedbyclient"))
    await visitor.track(page, 100)
    assert await history(page)
    await page.evaluate(FULL)
    await visitor.track(page, 3)
    assert await waiting(page) == 103


async def test_the_site_can_write_beside_it(context: BrowserContext, site: Site) -> None:
    """The service answers all the time."""
    visitor = Visitor(context, site)
    page = await visitor.visit()
    for _ in range(4):
        await visitor.track(page, 250, properties=LARGE)
        await page.wait_for_function("hourledger.stats().queued === 0")
    assert await taken(page) <= BUDGET
    await page.evaluate("localStorage.setItem('basket', 'z'.repeat(4_000_000))")
