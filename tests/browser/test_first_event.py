"""The first minutes of a new service: the empty page shows what to paste, and says when the first event arrives."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.conftest import TOKEN
from tests.browser.support.administered import sign_in
from tests.browser.support.client import Visitor
from tests.browser.support.dashboard import check_accessible, in_both_schemes, open_dashboard, shown
from tests.conftest import Servers
from tests.http.support.site import Site, an_event, new_site, unique

SHOP = "http://shop.localhost"
OF_VISITOR = {"$browser": "Chrome", "$os": "Linux", "$device": "desktop", "$channel": "direct"}
KEY = """k-"1&amp;'<2>"""
TABLET: ViewportSize = {"width": 800, "height": 900}
SIZES: dict[str, ViewportSize] = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 360, "height": 740}}


@pytest_asyncio.fixture(scope="module")
async def started(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service that has just been started for a shop, with a write key of awkward characters."""
    async with new_site(
        servers, folder, HOURLEDGER_WRITE_KEY=KEY, HOURLEDGER_READ_TOKEN=TOKEN, HOURLEDGER_CORS_ORIGINS=SHOP
    ) as site:
        site.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield site
        site.check_log()


@pytest.fixture
def curl() -> None:
    if shutil.which("curl") is None:
        pytest.skip("needs curl")


async def copied(page: Page, place: int) -> str:
    """Return what the button beside a text copies; it is that text."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.locator("#empty .copied button").nth(place)
    await button.click()
    await expect(button).to_have_text("Copied")
    text = str(await page.evaluate("navigator.clipboard.readText()"))
    assert text == await page.locator("#empty .copied pre").nth(place).inner_text()
    return text


async def test_the_line_counts_a_visit_and_the_page_says_so(
    started: Site, page: Page, context: BrowserContext, curl: None
) -> None:
    await sign_in(context, started, TOKEN)
    await page.goto(started.running.url)
    await expect(page.locator("#empty")).to_contain_text("No events yet.")
    await expect(page.locator("#empty")).to_contain_text(f"Pages of {SHOP} may send, as HOURLEDGER_CORS_ORIGINS says.")
    await expect(page.locator("#empty")).to_contain_text("This page says when the first event arrives.")
    await page.evaluate("globalThis.loaded = 'once'")
    line, command = await copied(page, 0), await copied(page, 1)
    await expect(page.locator("#arrival")).to_be_hidden()
    visitor = Visitor(context, started, origin=SHOP)
    shop = await context.new_page()
    await visitor.serve(shop, f"<!doctype html><html><head>{line}</head><body>shop</body></html>", "/pricing?visitor=7")
    await page.bring_to_front()
    await expect(page.locator("#arrival")).to_have_text("The first event has arrived: page_viewed.")
    await expect(page.locator("#announcement")).to_have_text("The first event has arrived: page_viewed.")
    await expect(page.locator("#card-events .card-value")).to_have_text("1")
    await expect(page.locator("#empty")).to_be_hidden()
    await check_accessible(page)
    (event,) = started.listed()
    told = (event["event_type"], event["tool_name"], event["properties"]["path"], event["demo_mode"])
    assert told == ("page_viewed", "/pricing", "/pricing", False)
    assert event["properties"].items() >= OF_VISITOR.items()
    assert "visitor" not in str(event["properties"]), "no query is stored"
    typed = await asyncio.create_subprocess_exec("bash", "-c", command, stdout=asyncio.subprocess.DEVNULL)
    assert await typed.wait() == 0
    await expect(page.locator("#card-events .card-value")).to_have_text("2")
    await expect(page.locator("#arrival")).to_have_text("The first event has arrived: page_viewed.")
    assert [event["demo_mode"] for event in started.listed()] == [False, False]
    await page.keyboard.press("Tab")
    await expect(page.locator("#arrival")).to_be_hidden()
    assert await page.evaluate("globalThis.loaded") == "once"


@pytest.mark.parametrize("attributes", ["", 'data-write-key="wrong"'], ids=["missing", "wrong"])
async def test_a_refused_key_is_told_in_one_line(started: Site, context: BrowserContext, attributes: str) -> None:
    lines: list[str] = []
    visitor = Visitor(context, started, attributes, SHOP)
    page = await context.new_page()
    page.on("console", lambda message: lines.append(message.text))
    await visitor.visit(page)
    for sent in (1, 2):
        await visitor.track(page)
        await page.wait_for_function(f"hourledger.stats().reasons.unauthorized === {sent}")
    said = [line for line in lines if line.startswith("hourledger")]
    (line,) = said
    assert line.startswith("hourledger: unauthorized the write key is missing or wrong: set data-write-key")


async def test_the_empty_page_says_whose_pages_may_send(
    servers: Servers, folder: Path, page: Page, artifacts: Path
) -> None:
    await page.add_init_script("Object.defineProperty(navigator, 'doNotTrack', { get: () => '1' })")
    async with new_site(servers, folder, HOURLEDGER_WRITE_KEY=KEY) as site:
        await page.goto(site.running.url)
        empty = page.locator("#empty")
        await expect(empty).to_contain_text(f"Only pages of {site.running.url} may send now.")
        await expect(empty).to_contain_text("HOURLEDGER_CORS_ORIGINS")
        line = await empty.locator(".copied pre").first.inner_text()
        assert 'data-write-key="YOUR-WRITE-KEY"' in line
        assert f"put {line} into your pages" in site.log(), "serve prints the same line"
        await expect(empty).to_contain_text("Replace YOUR-WRITE-KEY by the value of HOURLEDGER_WRITE_KEY")
        await expect(empty).to_contain_text("This browser asks not to be tracked")
        assert KEY not in await page.content()
        await shown(page)
        for name, size in SIZES.items():
            await page.set_viewport_size(size)
            await in_both_schemes(page, artifacts, name)
            await check_accessible(page)
            assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        await page.get_by_label("Data").select_option("real only")
        await expect(empty).to_contain_text("No events match these filters")
        site.client.post("/e/batch", json=[an_event(), an_event()], headers={"x-write-key": KEY}).raise_for_status()
        await expect(page.locator("#arrival")).to_contain_text("The first event has arrived. It is not of this range")
        await in_both_schemes(page, artifacts, "arrived")
        await page.get_by_label("Data").select_option("all")
        await expect(page.locator("#card-events .card-value")).to_have_text("2")


async def test_what_has_nothing_to_show_leaves_no_gap(site: Site, page: Page, artifacts: Path) -> None:
    kind = unique("plain")
    site.send(an_event(event_type=kind))
    for name, size in (SIZES | {"tablet": TABLET}).items():
        await page.set_viewport_size(size)
        await open_dashboard(page, site, f"?range=1h&event_type={kind}")
        await expect(page.locator("#risks")).to_be_hidden()
        rights = "all => Math.max(...all.map(each => each.getBoundingClientRect().right))"
        ends = [await page.locator(each).evaluate_all(rights) for each in ("#recent", "#panels > :not([hidden])")]
        assert ends[0] == pytest.approx(ends[1])
        line = "row => getComputedStyle(row.cells[0]).borderBottomColor"
        ruled = [await row.evaluate(line) != "rgba(0, 0, 0, 0)" for row in await page.locator("#events tbody tr").all()]
        assert ruled == [True] + [False] * 14
        await in_both_schemes(page, artifacts, name)
    site.send(an_event(event_type="risk_mode_changed", properties={"risk_mode": "bold"}))
    await open_dashboard(page, site, "?range=1h&risk_mode=bold")
    await expect(page.locator("#risks")).to_contain_text("bold")
    await open_dashboard(page, site, "?range=1h&risk_mode=nobody")
    await expect(page.locator("#risks")).to_be_visible()
