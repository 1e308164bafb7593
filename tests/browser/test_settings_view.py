"""The settings view and the sign-in in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.browser.support.administered import Administered, panel
from tests.browser.support.dashboard import SCHEMES, Scheme, check_accessible, without_complaints
from tests.browser.support.insights import view_shown
from tests.http.support.site import Site, an_event, unique
from tests.support.waiting import wait_until

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
SIZES = {"desktop": DESKTOP, "phone": PHONE}


async def test_signing_in_and_out(administered: Administered, page: Page) -> None:
    await page.goto(f"{administered.url}/?view=settings")
    await page.locator("#sign-in-key").fill("hla_00000000_wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#sign-in-said")).to_contain_text("This key or token is wrong")
    await page.locator("#sign-in-key").fill(administered.key)
    await page.keyboard.press("Enter")
    await expect(panel(page, "You")).to_contain_text(
        f"signed in with the admin key {administered.key[:12]} of all sites"
    )
    await page.goto(f"{administered.url}/schema")
    await expect(page.locator(".opblock").first).to_be_visible()
    await page.goto(f"{administered.url}/?view=settings")
    await panel(page, "You").get_by_role("button", name="Sign out").click()
    await expect(page.locator("#sign-in-key")).to_be_focused()
    assert await page.context.cookies() == []


async def test_an_open_service_says_how_to_begin_and_offers_nothing(site: Site, page: Page, artifacts: Path) -> None:
    with without_complaints(page):
        await page.goto(f"{site.running.url}/?view=settings")
        await view_shown(page, "settings")
        found = panel(page, "Who may change settings")
        await expect(found).to_contain_text("python -m service keys create --kind admin --all-sites")
    await expect(panel(page, "Count the site default").locator("pre")).to_have_text(
        f'<script src="{site.running.url}/h.js" data-auto defer></script>'
    )
    await expect(page.locator("#settings form:visible")).to_have_count(0)
    await check_accessible(page)
    await page.screenshot(path=artifacts / "open.png", full_page=True)
    await found.get_by_role("button", name="Sign in").click()
    await expect(page.locator("#sign-in-key")).to_be_focused()


async def test_a_reader_sees_no_settings(tokened: Site, knowing_page: Page) -> None:
    page = knowing_page
    await page.goto(f"{tokened.running.url}/?view=settings")
    await view_shown(page, "settings")
    await expect(panel(page, "You")).to_contain_text("You are signed in with the read token of the site default.")
    await expect(page.locator("#settings form:visible")).to_have_count(0)
    await expect(page.locator("#settings .panel:visible")).to_have_count(2)
    await panel(page, "You").get_by_role("button", name="Sign in with an admin key").click()
    await expect(page.locator("#sign-in-key")).to_be_focused()


async def test_a_key_is_shown_once_and_revoked(administered: Administered, context: BrowserContext) -> None:
    page = await administered.sign_in(context)
    keys, label = panel(page, "Keys"), unique("pages")
    await keys.get_by_label("Label").fill(label)
    await keys.get_by_role("button", name="Create a key").click()
    key = await keys.locator(".created pre").first.inner_text()
    assert re.fullmatch(r"hlw_\w{8}_\w{32}", key)
    await expect(keys.locator(".created pre").nth(1)).to_contain_text(f'data-write-key="{key}"')
    row = keys.locator("tr", has_text=label)
    await expect(row).to_contain_text("write")
    client = administered.site.client
    sent = {"x-write-key": key, "authorization": ""}
    wait_until(
        lambda: client.post("/e", json=an_event(), headers=sent).status_code,
        "it counts",
        holds=lambda seen: seen == 200,
    )
    await row.get_by_role("button", name="Revoke").click()
    await expect(row.get_by_role("button")).to_have_text("Really revoke?")
    await row.get_by_role("button").click()
    await expect(row).to_contain_text("revoked")
    await expect(row.get_by_role("button")).to_have_count(0)
    await page.reload()
    await view_shown(page, "settings")
    assert key not in await page.content()


async def test_sites_are_added_and_renamed(administered: Administered, context: BrowserContext) -> None:
    page = await administered.sign_in(context)
    sites, name, other = panel(page, "Sites"), unique("shop")[:20], unique("store")[:20]
    await sites.get_by_label("Name", exact=True).fill(name)
    await sites.get_by_label("Time zone").fill("Nowhere/Land")
    await sites.get_by_role("button", name="Add a site").click()
    await expect(sites.locator(".said").first).to_contain_text("time_zone must be a time zone")
    await sites.get_by_label("Time zone").fill("Europe/Berlin")
    await sites.get_by_role("button", name="Add a site").click()
    await expect(sites.locator("tr", has_text=name)).to_contain_text("Europe/Berlin")
    await sites.locator("select[name=old]").select_option(name)
    await sites.get_by_label("New name").fill(other)
    await sites.get_by_role("button", name="Rename").click()
    await expect(sites.locator("tr", has_text=other)).to_be_visible()
    await expect(sites.locator("tr", has_text=name)).to_have_count(0)


async def test_a_sign_in_is_ended_from_another_browser(
    administered: Administered, context: BrowserContext, browser: Browser
) -> None:
    other = await browser.new_context()
    there = await administered.sign_in(other)
    page = await administered.sign_in(context)
    (cookie,) = await other.cookies()
    row = panel(page, "Sign-ins").locator("tr", has_text=str(cookie["value"])[:12])
    await row.get_by_role("button", name="End").click()
    await row.get_by_role("button").click()
    await expect(row).to_have_count(0)
    await there.reload()
    await expect(there.locator("#sign-in-key")).to_be_focused()
    await expect(panel(page, "Sign-ins")).to_contain_text("this browser")
    await other.close()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_it_is_accessible_and_fits_a_phone(
    administered: Administered, browser: Browser, artifacts: Path, scheme: Scheme
) -> None:
    context = await browser.new_context(color_scheme=scheme, viewport=DESKTOP, reduced_motion="reduce")
    page = await context.new_page()
    await page.goto(f"{administered.url}/?view=settings")
    await expect(page.locator("#sign-in-key")).to_be_focused()
    await check_accessible(page)
    await page.screenshot(path=artifacts / "sign-in.png")
    await page.close()
    administered.site.client.post(
        "/api/analytics/settings/links",
        json={"expires_at": "2099-01-01T00:00:00Z", "label": "For the board", "filters": {"where": "action exists"}},
    )
    page = await administered.sign_in(context)
    await panel(page, "Keys").get_by_role("button", name="Create a key").click()
    await expect(panel(page, "Keys").locator(".created pre").first).to_be_visible()
    for name, size in SIZES.items():
        await page.set_viewport_size(size)
        await check_accessible(page)
        await page.screenshot(path=artifacts / f"{name}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    await context.close()
