"""The dashboard of a service with several sites."""

from __future__ import annotations

from playwright.async_api import BrowserContext, Page, expect

from tests.browser.support.administered import Administered, panel
from tests.browser.support.dashboard import address, shown
from tests.browser.support.insights import view_shown
from tests.http.support.site import Site, an_event, unique


async def test_another_site_is_chosen_and_stays_chosen(administered: Administered, context: BrowserContext) -> None:
    kind = unique("of-the-blog")
    assert administered.site.client.post("/e?site=blog", json=an_event(event_type=kind)).status_code == 200
    page = await administered.sign_in(context)
    await page.goto(f"{administered.url}/?range=24h")
    await shown(page)
    await expect(page.locator("#site")).to_have_value("default")
    await page.get_by_label("Site").select_option("blog")
    await page.wait_for_url(address("site=blog"))
    await shown(page)
    await expect(page.locator("#site")).to_have_value("blog")
    events = administered.site.get("/api/analytics/summary", hours=24, site="blog")["totals"]["events"]
    await expect(page.locator("#card-events .card-value")).to_have_text(str(events))
    await expect(page.locator("#types")).to_contain_text(kind)
    await expect(page.locator("#events")).to_contain_text(kind)
    await page.get_by_role("button", name="Export", exact=True).click()
    assert "site=blog" in str(await page.get_by_role("link", name="Download").get_attribute("href"))
    await page.get_by_role("link", name="Settings").click()
    await view_shown(page, "settings")
    assert "site=blog" in page.url
    # A line without a key would count for the default site.
    await expect(panel(page, "Count the site blog").locator("pre")).to_contain_text('data-write-key="YOUR-WRITE-KEY"')
    keys, label = panel(page, "Keys"), unique("pages")
    await keys.get_by_label("Label").fill(label)
    await keys.get_by_role("button", name="Create a key").click()
    await expect(keys.locator("tr", has_text=label)).to_contain_text("blog")


async def test_going_back_leads_to_the_former_site(administered: Administered, context: BrowserContext) -> None:
    page = await administered.sign_in(context)
    await page.locator("#site").select_option("blog")
    await page.wait_for_url(address("site=blog"))
    await page.get_by_role("link", name="Overview").click()
    await shown(page)
    await page.go_back()
    await page.go_back()
    await page.wait_for_url(lambda url: "site=blog" not in url)
    await view_shown(page, "settings")
    await expect(page.locator("#site")).to_have_value("default")


async def test_a_service_with_one_site_offers_no_choice(site: Site, page: Page) -> None:
    async with page.expect_response("**/api/analytics/access"):
        await page.goto(site.running.url)
    await shown(page)
    await expect(page.locator("#site-choice")).to_be_hidden()
