"""Page views that the client counts by itself (`data-auto`), and what a view tells."""

from __future__ import annotations

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.support.client import Visitor, history
from tests.http.support.site import Site, unique
from tests.support.waiting import until


@pytest.fixture
def base() -> str:
    """Give the beginning of paths that no other test views."""
    return f"/{unique('shop')}"


async def viewed(page: Page, site: Site, base: str) -> list[str]:
    """Return the views below a path in their order, once the page has sent all it has."""
    await page.evaluate("hourledger.flush()")  # records the view that waits for its title
    await page.wait_for_function("hourledger.stats().queued === 0 && hourledger.stats().sent > 0")
    events = [event for event in site.listed(event_type="page_viewed") if event["tool_name"].startswith(base)]
    assert [event["properties"]["path"] for event in events] == [event["tool_name"] for event in events]
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
    assert event["properties"]["path"] == path
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


LOCAL = 'data-send-to-backend="false"'
PAGE = "() => [screen.width, screen.height, navigator.language]"


def came_from(address: str) -> str:
    """Return a script that makes a page one to which a link of this address led."""
    return f"Object.defineProperty(document, 'referrer', {{ get: () => '{address}' }})"


async def test_a_view_tells_where_the_visitor_came_from_and_no_secret(context: BrowserContext, site: Site) -> None:
    page = await context.new_page()
    await page.add_init_script(came_from("https://blog.example/post?id=7#end"))
    query = "token=secret&utm_source=news&utm_campaign=May%20Day&utm_id=9"
    await Visitor(context, site, f"data-auto {LOCAL}").visit(page, path=f"/shop?{query}")
    width, height, language = await page.evaluate(PAGE)
    (first,) = await history(page)
    assert first["properties"] == {
        "path": "/shop",
        "title": "test",
        "referrer": "https://blog.example/post",
        "utm_source": "news",
        "utm_campaign": "May Day",
        "screen": f"{width}x{height}",
        "language": language,
    }
    await page.evaluate("history.pushState(null, '', '/shop/cart')")
    await page.evaluate("hourledger.flush()")
    second = (await history(page))[1]["properties"]
    assert second.keys() == {"path", "title", "screen", "language"}, "the app's next page has no referrer"


async def test_a_page_of_the_same_site_is_no_referrer(context: BrowserContext, site: Site) -> None:
    page = await context.new_page()
    await page.add_init_script(came_from(f"{site.running.url}/before"))
    await Visitor(context, site, f"data-auto {LOCAL}").visit(page)
    (event,) = await history(page)
    assert "referrer" not in event["properties"]


async def test_a_view_of_an_app_has_its_own_title_and_comes_before_what_happens_on_it(
    context: BrowserContext, site: Site
) -> None:
    page = await Visitor(context, site, f"data-auto {LOCAL}").visit()
    await page.evaluate(
        """() => {
            history.pushState(null, "", "/cart");
            document.title = "Cart";
            hourledger.track("opened");
            history.pushState(null, "", "/pay");
            setTimeout(() => { document.title = "Pay" }, 10);
        }"""
    )
    titled = """() => JSON.parse(hourledger.exportEvents()).map(({ event_type, properties }) =>
        [event_type, properties?.title]).join() === "page_viewed,test,page_viewed,Cart,opened,,page_viewed,Pay" """
    await page.wait_for_function(titled)


async def test_fragments_are_pages_where_the_site_says_so(context: BrowserContext, site: Site) -> None:
    page = await Visitor(context, site, f"data-auto data-hash {LOCAL}").visit(path="/app")
    for address in ("#/orders?token=secret", "#/orders?token=other", "#/orders/7"):
        await page.evaluate("address => { location.hash = address }", address)
        await page.wait_for_function("address => location.hash === address", arg=address)
    await page.evaluate("hourledger.flush()")
    assert [event["tool_name"] for event in await history(page)] == ["/app", "/app#/orders", "/app#/orders/7"]


async def test_the_first_view_waits_for_no_picture(context: BrowserContext, site: Site) -> None:
    """The page is still loading when the view is recorded."""
    page = await context.new_page()
    await context.route("**/slow.png", lambda _: None)
    script = f'<script src="{site.running.url}/h.js" data-auto {LOCAL} defer></script>'
    html = f"<!doctype html>{script}<title>late</title><img src=/slow.png>"
    await context.route("**/loading", lambda route: route.fulfill(body=html, content_type="text/html"))
    await page.goto(f"{site.running.url}/loading", wait_until="domcontentloaded")
    (event,) = await history(page)
    assert event["properties"]["title"] == "late"
    assert await page.evaluate("document.readyState") == "interactive"
    await context.unroute_all()


@pytest.mark.parametrize(
    ("attributes", "head"),
    [("data-404", ""), ("", '<meta name="hourledger" content="404">')],
    ids=["attribute", "meta"],
)
async def test_a_page_that_is_not_found_says_so(
    context: BrowserContext, site: Site, attributes: str, head: str
) -> None:
    page = await context.new_page()
    script = f'<script src="{site.running.url}/h.js" data-auto {attributes} {LOCAL}></script>'
    await Visitor(context, site).serve(page, f"<!doctype html>{head}{script}<title>none</title>", "/none")
    await page.evaluate("document.querySelector('meta')?.remove(); history.pushState(null, '', '/found')")
    await page.evaluate("hourledger.flush()")
    told = [(event["event_type"], event["properties"]["path"]) for event in await history(page)]
    assert told == [("page_viewed", "/none"), ("page_not_found", "/none"), ("page_viewed", "/found")]
