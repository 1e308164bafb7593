"""Sessions that go on in other tabs, and visitors whom a site knows again only where it asks for that."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.support.client import Visitor, history
from tests.browser.support.client_faults import BLOCKED
from tests.http.support.site import Json, Site

LOCAL = 'data-send-to-backend="false"'
KNOWN = f'{LOCAL} data-visitor="local"'
ID = "localStorage.getItem('hourledger_visitor')"
REFUSAL = "Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })"


async def last(page: Page) -> Json:
    return (await history(page))[-1]


async def test_a_session_goes_on_in_other_tabs_and_after_a_reload(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, LOCAL)
    first, second = await visitor.visit(), await visitor.visit()
    for page in (first, second, first):
        await visitor.track(page)
    await first.reload()
    await visitor.track(first)
    await second.close()
    await first.close()
    later = await visitor.visit()
    await visitor.track(later)
    assert len({event["session_id"] for event in await history(later)}) == 1


async def test_two_tabs_that_begin_at_once_agree_on_a_session(context: BrowserContext, site: Site) -> None:
    """Whatever they began with, the later one is theirs from the next event on."""
    visitor = Visitor(context, site, LOCAL)
    pages = [await visitor.visit(), await visitor.visit()]
    started = [page.evaluate("kind => hourledger.track(kind)", visitor.kind) for page in pages]
    for each in started:
        await each
    following = []
    for page in pages:
        await visitor.track(page)
        following.append((await last(page))["session_id"])
    assert following[0] == following[1]


@pytest.mark.parametrize("minutes", [31, -31])
async def test_a_session_ends_in_all_tabs(context: BrowserContext, site: Site, minutes: int) -> None:
    """Also when the visitor's clock is set back."""
    visitor = Visitor(context, site, LOCAL)
    page = await visitor.visit()
    await visitor.track(page)
    begun = await last(page)
    await page.evaluate(f"() => {{ const right = Date.now; Date.now = () => right() + {minutes} * 60_000; }}")
    await visitor.track(page)
    assert (await last(page))["session_id"] != begun["session_id"]


async def test_without_storage_a_session_is_the_pages(context: BrowserContext, site: Site) -> None:
    await context.add_init_script(BLOCKED)
    visitor = Visitor(context, site, KNOWN)
    first, second = await visitor.visit(), await visitor.visit()
    for page in (first, second):
        await visitor.track(page, 2)
    told = [[(event["session_id"], event["user_id"]) for event in await history(page)] for page in (first, second)]
    assert [len(set(each)) for each in told] == [1, 1]
    assert told[0] != told[1]


async def test_a_visitor_is_known_again_only_where_the_site_asks(context: BrowserContext, site: Site) -> None:
    unknown = Visitor(context, site, LOCAL)
    page = await unknown.visit()
    await unknown.track(page)
    assert "user_id" not in await last(page)
    assert await page.evaluate(ID) is None
    known = Visitor(context, site, KNOWN)
    ids = []
    for _ in range(2):
        page = await known.visit(path="/known")
        await known.track(page)
        ids.append((await last(page))["user_id"])
        await page.evaluate("localStorage.removeItem('hourledger_session')")
    assert ids[0] == ids[1]
    assert re.fullmatch(r"v-[0-9a-z]{14}", ids[0])
    await page.evaluate("kind => { hourledger.identify('u-17'); hourledger.track(kind) }", known.kind)
    assert (await last(page))["user_id"] == "u-17"
    await page.evaluate("kind => { hourledger.reset(); hourledger.track(kind) }", known.kind)
    assert (await last(page))["user_id"] not in (None, "u-17", ids[0])


async def test_a_visitor_who_refuses_is_forgotten(context: BrowserContext, site: Site) -> None:
    known = Visitor(context, site, KNOWN)
    page = await known.visit()
    await known.track(page)
    assert await page.evaluate(ID)
    await page.add_init_script(REFUSAL)
    await page.reload()
    await known.track(page)
    assert await page.evaluate(ID) is None
    assert len(await history(page)) == 1


async def test_who_is_not_in_the_sample_gets_no_id(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, f'{KNOWN} data-sample-rate="0"')
    page = await visitor.visit()
    await visitor.track(page)
    assert await page.evaluate(ID) is None


async def test_the_id_counts_as_a_visitor(context: BrowserContext, site: Site) -> None:
    """Two sessions of one browser are one visitor in the service's numbers."""
    visitor = Visitor(context, site, 'data-visitor="local"')
    page = await visitor.visit()
    for _ in range(2):
        await visitor.track(page)
        await page.evaluate("localStorage.removeItem('hourledger_session')")
    await page.wait_for_function("hourledger.stats().sent === 2")
    totals = site.get("/api/analytics/summary", event_type=visitor.kind, hours=1)["totals"]
    assert (totals["sessions"], totals["visitors"]) == (2, 1)
