"""The dashboard of a web site: its panels, filters, choices, chart, keys, saved views and wall, on one service."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Browser, Page, ViewportSize, expect

from tests.browser.support import dashboard
from tests.browser.support.dashboard import address, check_accessible, in_both_schemes, open_dashboard, shown
from tests.http.support.site import Site, unique

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
WEB_CARDS = ["now", "visitors", "page_views", "sessions", "bounce_rate", "visit_duration", "pages_per_visit", "events"]
SHOWN_CARDS = "all => all.map(card => card.id.replace('card-', ''))"
PANELS = "#panels > :not([hidden])"
IDS = "all => all.map(each => each.id)"


def top(site: Site, by: str, **more: object) -> dict[str, int]:
    """Return the visitors of each key."""
    answer = site.get("/api/analytics/top", by=by, metric="visitors", hours=168, **more)
    return {row["key"]: row["visitors"] for row in answer["rows"]}


def lines_of(file: Path) -> list[dict[str, str]]:
    """Return the lines of a saved file, which says that it is UTF-8."""
    text = file.read_text()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


async def bars(page: Page, panel: str) -> dict[str, int]:
    return {key: int(number.replace(",", "")) for key, number in await dashboard.bars(page, panel)}


async def test_a_web_site_has_its_numbers_and_panels(web: Site, page: Page, artifacts: Path) -> None:
    await page.set_viewport_size(DESKTOP)
    with dashboard.without_complaints(page):
        await open_dashboard(page, web)
        await expect(page.locator("html[data-web]")).to_be_attached()
        await shown(page)
        assert await page.locator("#cards li:not([hidden]) .card").evaluate_all(SHOWN_CARDS) == WEB_CARDS
        await expect(page.locator("#sources")).to_be_visible()
        await expect(page.locator("#devices")).to_be_visible()
        found = await page.locator(PANELS).evaluate_all(IDS)
        assert found[:3] == ["pages", "sources", "devices"], "places have no rows, and hide"
        assert "places" not in found
        assert await bars(page, "pages") == top(web, "properties.path")
        await page.locator("#pages").get_by_role("button", name="Entry").click()
        await expect(page.locator("#pages .stale")).to_have_count(0)
        await shown(page)
        assert await bars(page, "pages") == top(web, "entry_page")
        assert await bars(page, "campaigns") == top(web, "properties.utm_campaign")
    await check_accessible(page)
    await in_both_schemes(page, artifacts, "web")
    await page.set_viewport_size(PHONE)
    await page.screenshot(path=artifacts / "phone.png", full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


async def test_rows_include_and_leave_out(web: Site, page: Page) -> None:
    await open_dashboard(page, web)
    await shown(page)
    await page.locator("#pages .bar").first.click()
    await shown(page)
    await expect(page.locator("#chips bdi")).to_have_text(["properties.path = /"])
    await expect(page.locator("#pages .bar[aria-pressed=true] .bar-key")).to_have_text("/")
    await page.locator("#pages .bar").first.click()
    await expect(page.locator("#chips button")).to_have_count(0)
    await shown(page)
    await page.locator("#pages .exclude").first.focus()
    await page.keyboard.press("Enter")
    await shown(page)
    await expect(page.locator("#chips bdi")).to_have_text(["properties.path != /"])
    assert await bars(page, "pages") == top(web, "properties.path", where="properties.path != /")


async def test_all_rows_are_searched_and_saved(web: Site, page: Page) -> None:
    await open_dashboard(page, web)
    await shown(page)
    await page.get_by_role("button", name="Show all: Pages").click()
    rows = page.locator("#all-keys tbody tr")
    await expect(rows).to_have_count(len(top(web, "properties.path")))
    await page.get_by_label("Search the rows").fill("DOCS")
    await expect(rows).to_have_count(2)
    await check_accessible(page)
    async with page.expect_download() as saved:
        await page.locator("#all-keys").get_by_role("button", name="CSV").click()
    lines = lines_of(await (await saved.value).path())
    assert {line["properties.path"]: int(line["visitors"]) for line in lines} == top(
        web, "properties.path", search="docs"
    )
    await rows.first.get_by_role("button", name="Only").click()
    await expect(page.locator("#all-keys")).to_be_hidden()
    await expect(page.locator("#chips button")).to_have_count(1)


async def test_panels_are_hidden_moved_and_pinned(web: Site, page: Page, artifacts: Path) -> None:
    await open_dashboard(page, web)
    await shown(page)
    await page.get_by_role("button", name="Arrange").click()
    drawer = page.locator("#drawer")
    await drawer.get_by_role("checkbox", name="Campaigns").uncheck()
    await drawer.get_by_role("button", name="Move up: Sources").click()
    await drawer.get_by_label("Add a property as a panel").select_option("plan")
    await drawer.get_by_role("checkbox", name="Bounce rate").uncheck()
    await expect(page.locator("#property-plan .bar")).to_have_count(2)
    await check_accessible(page)
    await page.screenshot(path=artifacts / "arranged.png", full_page=True)
    await page.reload()
    await shown(page)
    found = await page.locator(PANELS).evaluate_all(IDS)
    assert found[:2] == ["sources", "pages"]
    assert found[-1] == "property-plan"
    assert "campaigns" not in found
    await expect(page.locator("#card-bounce_rate")).to_be_hidden()
    assert await bars(page, "property-plan") == top(web, "properties.plan")


async def test_the_chart_is_read_and_zoomed(web: Site, page: Page) -> None:
    await page.set_viewport_size(DESKTOP)
    await open_dashboard(page, web)
    await shown(page)
    box = await page.locator("#plot .u-over").bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    await page.mouse.move(box["x"] + box["width"] * 0.7, middle)
    await expect(page.locator("#tooltip")).to_be_visible()
    assert await page.locator("#tooltip strong").inner_text() in await page.locator("#readout").inner_text()
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.9, middle, steps=4)
    await page.mouse.up()
    await page.wait_for_url(address("from=.*to="))
    await shown(page)
    given = parse_qs(urlsplit(page.url).query)
    answer = web.get("/api/analytics/summary", **{"from": given["from"][0], "to": given["to"][0]})
    await expect(page.locator("#card-events .card-value")).to_have_text(f"{answer['totals']['events']:,}")
    await page.get_by_label("Calendar").select_option("yesterday")
    await shown(page)
    assert "range=yesterday" in page.url
    await page.locator("#compare").select_option("custom")
    await shown(page)
    await expect(page.locator("#chart .fault")).to_be_hidden()
    assert "against=" in page.url


async def test_keys_open_the_sheet_the_filter_and_the_views(web: Site, page: Page) -> None:
    await open_dashboard(page, web)
    await page.keyboard.press("?")
    await expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    await check_accessible(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await expect(page.get_by_label("Field", exact=True)).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("p")
    await expect(page.locator("#all-proofs .headline")).to_contain_text("with events proven")
    await page.keyboard.press("t")
    await page.wait_for_url(address("range=today"))


async def test_a_view_is_saved_opened_and_deleted(web: Site, page: Page) -> None:
    name = unique("view")
    await open_dashboard(page, web, "?range=24h&event_type=signup")
    await page.get_by_role("button", name="Views", exact=True).click()
    await page.get_by_label("Save what is shown as").fill(name)
    await page.keyboard.press("Enter")
    await expect(page.locator("#drawer").get_by_role("button", name=name, exact=True)).to_be_visible()
    saved = {view["name"]: view["search"] for view in web.get("/api/analytics/views")["views"]}
    # The metric of a new reader is not the one that this browser shows.
    assert saved[name] == "?range=24h&metric=events&event_type=signup"
    await open_dashboard(page, web)
    await page.get_by_role("button", name="Views", exact=True).click()
    await page.locator("#drawer").get_by_role("button", name=name, exact=True).click()
    await page.wait_for_url(address("range=24h&metric=events&event_type=signup"))
    await page.get_by_role("button", name="Views", exact=True).click()
    await page.get_by_role("button", name=f"Delete the view {name}").click()
    await expect(page.locator("#drawer").get_by_role("button", name=name, exact=True)).to_have_count(0)
    assert name not in {view["name"] for view in web.get("/api/analytics/views")["views"]}


async def test_the_wall_takes_turns_and_outlives_the_server(web: Site, page: Page, artifacts: Path) -> None:
    await page.clock.install()
    await page.set_viewport_size({"width": 1920, "height": 1080})
    await page.goto(f"{web.running.url}/?wall=1")
    await expect(page.locator(".wall-title")).to_have_text("At a glance")
    await page.screenshot(path=artifacts / "wall.png")
    titles = set()
    for _ in range(6):
        before = await page.locator(".wall-title").inner_text()
        titles.add(before)
        await page.clock.run_for(15_500)
        await expect(page.locator(".wall-title")).not_to_have_text(before)
    assert {"At a glance", "Events over time", "Pages and sources", "Events and tools", "Proofs"} <= titles
    await page.route("**/api/**", lambda route: route.abort())
    await page.clock.run_for(15_500)
    await expect(page.locator(".wall-said")).to_contain_text("The server does not answer. These numbers are from")
    await expect(page.locator(".wall-body > *").first).to_be_visible()
    await page.unroute_all(behavior="ignoreErrors")
    await page.clock.run_for(31_000)
    await expect(page.locator(".wall-said")).to_be_empty()
    assert await page.locator("#wall").count() == 1


async def test_proofs_and_parts_are_accessible_in_every_scheme(web: Site, browser: Browser, artifacts: Path) -> None:
    for name, view in (("proofs", "#all-proofs"), ("components", "#components")):
        context = await browser.new_context(viewport=DESKTOP, contrast="more")
        page = await context.new_page()
        await page.goto(f"{web.running.url}/?view={name}")
        await expect(page.locator(f"{view} .panel").first).to_be_visible()
        await expect(page.locator(".stale")).to_have_count(0)
        await check_accessible(page)
        await page.emulate_media(contrast="no-preference")
        await check_accessible(page)
        await in_both_schemes(page, artifacts, name)
        await page.set_viewport_size(PHONE)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        await context.close()
