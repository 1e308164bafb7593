"""The page, the API's page and the client behind a website's proxy, under a prefix that it takes off or passes on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import BrowserContext, Page, expect

from tests.browser.support.proxy import Website, website
from tests.conftest import Servers
from tests.http.support.site import Site, an_event, new_site, unique

PREFIX = "/stats"


@pytest_asyncio.fixture(params=["the proxy takes it off", "the proxy passes it on"])
async def behind(
    request: pytest.FixtureRequest, servers: Servers, folder: Path, site: Site
) -> AsyncIterator[tuple[Website, Site]]:
    """Give a website with a proxy, and the service behind it."""
    if request.param == "the proxy takes it off":
        with website(site, PREFIX) as here:
            yield here, site
        return
    async with new_site(servers, folder, HOURLEDGER_BASE_PATH=PREFIX) as prefixed:
        with website(prefixed, PREFIX, keeps=True) as here:
            yield here, prefixed


async def test_everything_works_under_a_prefix(behind: tuple[Website, Site], page: Page) -> None:
    here, site = behind
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    kind = unique("prefixed")
    site.send(an_event(event_type=kind))
    await page.goto(f"{here.origin}{PREFIX}/?event_type={kind}")
    await expect(page.locator("#events")).to_contain_text(kind)
    await expect(page.locator("#connection")).to_have_text("Live")
    await page.get_by_role("button", name="Export").click()
    link = page.get_by_role("link", name="Download")
    assert f"{here.origin}{PREFIX}/api/analytics/export?" in str(await link.evaluate("link => link.href"))
    for view in ("Funnels", "Retention", "Overview"):
        await page.get_by_role("link", name=view).click()
        await expect(page.get_by_role("link", name=view)).to_have_attribute("aria-current", "page")
        assert page.url.startswith(f"{here.origin}{PREFIX}/?")
    await page.reload()
    await expect(page.locator("#events")).to_contain_text(kind)
    assert here.failed() == []
    await page.goto(f"{here.origin}{PREFIX}/?from=2025-01-01T00:00Z&to=2025-01-01T01:00Z")
    await expect(page.locator("#empty")).to_contain_text(f"curl {here.origin}{PREFIX}/e ")
    await expect(page.locator("#empty")).to_contain_text(
        f'<script src="{here.origin}{PREFIX}/h.js" data-auto defer></script>'
    )
    assert faults == []


async def test_the_page_of_the_api_asks_under_the_prefix(behind: tuple[Website, Site], page: Page) -> None:
    here, _ = behind
    await page.goto(f"{here.origin}{PREFIX}/schema")
    operation = page.locator("[id$='-isLive']")
    await operation.locator(".opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    await expect(operation.locator(".request-url")).to_contain_text(f"{here.origin}{PREFIX}/health/live")
    await expect(operation.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    assert here.failed() == []


async def test_the_client_sends_beside_its_script(behind: tuple[Website, Site], context: BrowserContext) -> None:
    here, site = behind
    here.pages["/shop.html"] = f'<!doctype html><title>shop</title><script src="{PREFIX}/h.js"></script>'
    here.pages["/module.html"] = f"""<!doctype html><title>shop</title>
        <script type="module">globalThis.hourledger = (await import("{PREFIX}/analytics.mjs")).default</script>"""
    for path in ("/shop.html", "/module.html"):
        page = await context.new_page()
        await page.goto(here.origin + path)
        kind = unique("prefixed")
        await page.wait_for_function("globalThis.hourledger")
        await page.evaluate("kind => hourledger.track(kind)", kind)
        await page.wait_for_function("hourledger.stats().sent === 1")
        assert len(site.listed(event_type=kind, hours=1)) == 1
    assert here.failed() == []
