"""The page of a share link in a browser that knows nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Route, ViewportSize, expect

from tests.browser.support.administered import Administered, panel
from tests.browser.support.dashboard import SCHEMES, Scheme, check_accessible, shown, without_complaints
from tests.browser.support.insights import view_shown
from tests.http.support.site import unique
from tests.support.waiting import wait_until

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
LINKS = "/api/analytics/settings/links"
ENDS = "2099-01-01T00:00:00Z"
HIDDEN = ("nav", ".controls", "#recent", "#proofs", "#verdict", "#connection")


def new_link(administered: Administered, **body: object) -> tuple[str, str]:
    """Create a link; return its address and its prefix, once it counts."""
    client = administered.site.client
    made = client.post(LINKS, json={"expires_at": ENDS} | body).json()
    headers = {"authorization": f"Bearer {made['secret']}"}
    wait_until(lambda: client.get("/api/analytics/shared", headers=headers).is_success, "it counts")
    return f"{administered.url}/{made['address']}", str(made["secret"][:12])


def heard(page: Page) -> list[str]:
    """Return the addresses that a page asks for, which grow."""
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    page.on("request", note)
    return asked


def complaints(page: Page) -> list[str]:
    """Return what a page writes to its console, which grows."""
    said: list[str] = []

    def note(message: ConsoleMessage) -> None:
        said.append(message.text)

    page.on("console", note)
    return said


async def test_a_link_is_made_of_the_view_above_and_revoked(
    administered: Administered, context: BrowserContext
) -> None:
    page = await administered.sign_in(context)
    await page.goto(f"{administered.url}/?view=settings&range=30d&event_type=page_view")
    await view_shown(page, "settings")
    links, label = panel(page, "Share links"), unique("board")
    await expect(links).to_contain_text("A new link shows the last 30 days, with the 1 filter chosen above.")
    await links.get_by_label("Label").fill(label)
    await links.get_by_label("May be embedded by").fill("https://wiki.example")
    await links.get_by_role("button", name="Create a link").click()
    address = await links.locator(".created pre").first.inner_text()
    assert re.fullmatch(re.escape(administered.url) + r"/shared\?link=hll_\w{8}#\w{32}", address)
    await expect(links.locator(".created pre").nth(1)).to_contain_text(f'<iframe src="{address}"')
    row = links.locator("tr", has_text=label)
    await expect(row).to_contain_text("the last 30 days, event_type = page_view")
    await expect(row).to_contain_text("https://wiki.example")
    await row.get_by_role("button", name="Revoke").click()
    await row.get_by_role("button").click()
    await expect(row).to_have_count(0)
    await page.goto(address)
    await expect(page.locator("#dashboard")).to_contain_text(
        "This view cannot be shown: this link is not known any more"
    )
    await check_accessible(page)


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_it_shows_its_view_and_asks_for_nothing_else(
    administered: Administered, browser: Browser, artifacts: Path, scheme: Scheme
) -> None:
    label = unique("board")
    address, _ = new_link(administered, label=label, hours=720, filters={"event_type": "page_view"})
    summary = administered.site.get("/api/analytics/summary", hours=720, event_type="page_view")
    stranger = await browser.new_context(viewport=DESKTOP, color_scheme=scheme)
    page = await stranger.new_page()
    # What this browser has pinned, a link may not read.
    await page.add_init_script("""localStorage.setItem("hourledger.panels", '{"pinned": ["plan"]}')""")
    asked = heard(page)
    with without_complaints(page):
        await page.goto(address)
        await shown(page)
        await expect(page.locator("#shared-title")).to_have_text(label)
        await expect(page.locator("#shared-about")).to_have_text("The last 30 days, event_type = page_view")
        await expect(page.locator("#card-events .card-value")).to_have_text(f"{summary['totals']['events']:,}")
        await page.locator("#card-sessions").click()
        await expect(page.locator("#chart-title")).to_have_text("Sessions")
        await page.locator("#by").select_option("action")
        await expect(page.locator("#legend .group").first).to_be_visible()
    for hidden in HIDDEN:
        await expect(page.locator(hidden).first).to_be_hidden()
    await expect(page.locator("#types button")).to_have_count(0)
    paths = {url.partition("?")[0].rpartition("/")[2] for url in asked if "/api/" in url}
    assert paths == {"shared", "summary", "top", "trends"}
    assert [url for url in asked if "properties.plan" in url] == []
    assert address.partition("#")[2] not in "".join(asked).replace(address, "")
    await check_accessible(page)
    await page.screenshot(path=artifacts / "shared.png", full_page=True)
    await page.set_viewport_size(PHONE)
    await page.screenshot(path=artifacts / "phone.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await stranger.close()


async def test_it_hangs_on_a_wall_without_a_sign_in(administered: Administered, browser: Browser) -> None:
    address, _ = new_link(administered, label="Wall", hours=720)
    context = await browser.new_context()
    page = await context.new_page()
    asked = heard(page)
    with without_complaints(page):
        await page.goto(address.replace("#", "&wall=1#"))
        await expect(page.locator(".wall-about")).to_have_text("Wall · The last 30 days")
        await expect(page.locator(".wall-figures li").first).to_be_visible()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator(".wall-course")).to_be_visible()
    assert {url.partition("?")[0].rpartition("/")[2] for url in asked if "/api/" in url} <= {
        "shared",
        "summary",
        "visits",
        "trends",
    }
    await page.keyboard.press("Escape")
    await expect(page.locator("#card-events .card-value")).to_have_text(re.compile(r"\d"))
    await expect(page.locator("#wall")).to_have_count(0)
    await context.close()


async def test_it_waits_for_a_service_that_is_away(administered: Administered, page: Page) -> None:
    address, _ = new_link(administered, label="Patient", hours=24)
    await page.clock.install()
    await page.route("**/api/**", lambda route: route.abort())
    await page.goto(address)
    await expect(page.locator("#gone")).to_have_text("The server does not answer. Trying again …")
    await page.unroute_all(behavior="ignoreErrors")
    await page.clock.run_for(6_000)
    await expect(page.locator("#shared-title")).to_have_text("Patient")
    await expect(page.locator("#gone")).to_be_hidden()


async def test_only_a_named_origin_embeds_it(administered: Administered, browser: Browser, artifacts: Path) -> None:
    address, _ = new_link(administered, hours=720, origins=["https://wiki.example"])
    html = f'<!doctype html><iframe src="{address}" width="1000" height="700"></iframe>'

    async def embedding(route: Route) -> None:
        await route.fulfill(body=html, content_type="text/html")

    context = await browser.new_context()
    for origin, is_shown in (("https://wiki.example", True), ("https://other.example", False)):
        page = await context.new_page()
        await page.route(f"{origin}/", embedding)
        refusals = complaints(page)
        await page.goto(f"{origin}/")
        value = page.frame_locator("iframe").locator("#card-events .card-value")
        if is_shown:
            await expect(value).to_have_text(re.compile(r"\d"))
            await page.screenshot(path=artifacts / "embedded.png")
        else:
            await page.wait_for_load_state("networkidle")
            assert any("frame-ancestors" in said for said in refusals), refusals
    await context.close()
