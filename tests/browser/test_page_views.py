"""Page views that the client counts by itself (`data-auto`)."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.support.client import Visitor
from tests.http.support.site import Site, unique
from tests.support.waiting import until


@pytest.fixture
def base() -> str:
    """Give the beginning of paths that no other test views."""
    return f"/{unique('shop')}"


async def viewed(page: Page, site: Site, base: str) -> list[str]:
    """Return the views below a path in their order, once the page has sent all it has."""
    await page.wait_for_function("hourledger.stats().queued === 0 && hourledger.stats().sent > 0")
    events = [event for event in site.listed(event_type="page_viewed") if event["tool_name"].startswith(base)]
    assert [event["properties"] for event in events] == [{"path": event["tool_name"]} for event in events]
    assert {event["demo_mode"] for event in events} <= {False}
    return [event["tool_name"].removeprefix(base) for event in reversed(events)]


async def test_a_page_is_counted_when_it_opens_without_its_query(
    context: BrowserContext, site: Site, base: str
) -> None:
    visitor = Visitor(context, site, "data-auto")
    page = await visitor.visit(path=f"{base}/pricing?token=secret")
    assert await viewed(page, site, base) == ["/pricing"]
    await page.reload()
    await until(
        lambda: site.listed(tool_name=f"{base}/pricing"),
        "the second view is stored",
        holds=lambda views: len(views) == 2,
    )


async def test_pages_of_an_app_are_counted_once_each(context: BrowserContext, site: Site, base: str) -> None:
    visitor = Visitor(context, site, "data-auto")
    page = await visitor.visit(path=f"{base}/start")
    given = await page.evaluate(
        """base => {
            history.pushState({ step: 1 }, "", `${base}/cart`);
            history.pushState(null, "", `${base}/cart?sort=price#list`);
            history.replaceState({ scroll: 7 }, "");
            location.hash = "pay";
            history.replaceState({ step: 2 }, "", `${base}/pay`);
            return [history.state, location.pathname];
        }""",
        base,
    )
    assert given == [{"step": 2}, f"{base}/pay"], "the history works as before"
    await page.go_back()
    await page.go_back()
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: false }))")
    await page.evaluate("hourledger.flush()")
    assert await viewed(page, site, base) == ["/start", "/cart", "/pay", "/cart", "/cart"]


async def test_nothing_is_counted_unless_asked_for_and_allowed(context: BrowserContext, site: Site, base: str) -> None:
    refusal = "Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })"
    page = await context.new_page()
    for path, attributes, script in (
        ("/silent", "", ""),
        ("/off", 'data-auto="false"', ""),
        ("/private", "data-auto", refusal),
        ("/counted", 'data-auto data-respect-privacy="false"', refusal),
    ):
        await page.add_init_script(script)
        await Visitor(context, site, attributes).visit(page, path=base + path)
        await page.evaluate("history.pushState(null, '', location.pathname + '/next')")
    assert await viewed(page, site, base) == ["/counted", "/counted/next"]


async def test_a_long_path_is_kept_as_a_property(context: BrowserContext, site: Site, base: str) -> None:
    path = f"{base}/{'a' * 300}"
    page = await Visitor(context, site, "data-auto").visit(path=path)
    await page.wait_for_function("hourledger.stats().sent === 1")
    (event,) = site.listed(tool_name=path[:128])
    assert event["properties"] == {"path": path}
    assert (await page.evaluate("hourledger.stats()"))["reasons"] == {}


async def test_a_module_counts_when_it_is_told_to(context: BrowserContext, site: Site, base: str) -> None:
    visitor = Visitor(context, site)
    html = f"""<!doctype html><script type="module">
        import client from "{site.running.url}/analytics.mjs";
        globalThis.hourledger = client;
        client.init({{ auto: true }});
        client.init({{ auto: true }});
    </script>"""
    page = await context.new_page()
    await visitor.serve(page, html, f"{base}/module")
    await page.wait_for_function("globalThis.hourledger")
    assert await viewed(page, site, base) == ["/module"]
