"""What a page shows belongs to the range above it: no number, tab or answer of an older one stays."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Page, Request, Route, expect

from tests.browser.support.dashboard import open_dashboard, shown
from tests.http.support.site import Json, Site

VISITS = "**/api/analytics/visits?*"
TOP = "**/api/analytics/top?*"
WITH_DIGITS = re.compile(r"\d")
CHANGES = ".wall-figures li:not(.wall-now) .wall-change"


async def refuse(route: Route) -> None:
    error = {"code": "busy", "message": "there is no room"}
    await route.fulfill(status=503, json={"ok": False, "error": error})


async def press(page: Page, name: str) -> None:
    await page.get_by_role("button", name=name, exact=True).click()


async def test_cards_of_visits_wait_and_fail_by_themselves(web: Site, page: Page) -> None:
    may_answer = asyncio.Event()

    async def refuse_late(route: Route) -> None:
        await may_answer.wait()
        await refuse(route)

    await open_dashboard(page, web, "?range=24h")
    card = page.locator("#card-page_views")
    value = card.locator(".card-value")
    await expect(value).to_have_text(WITH_DIGITS)
    await page.route(VISITS, refuse_late)
    await press(page, "7 d")
    await expect(card).to_have_class(re.compile("stale"))
    may_answer.set()
    await expect(value).to_have_text("\N{EN DASH}")
    await expect(card.locator(".card-change")).to_have_text("could not be loaded")
    await shown(page)
    await page.unroute_all(behavior="ignoreErrors")
    await press(page, "24 h")
    await expect(value).to_have_text(WITH_DIGITS)


async def test_cards_of_visits_say_since_when_events_are_kept(web: Site, page: Page) -> None:
    async def cut(route: Route) -> None:
        answer: Json = await (await route.fetch()).json()
        answer["from"] = answer["to"][:10] + "T00:00:00.000Z"
        await route.fulfill(json=answer)

    await page.route(VISITS, cut)
    await open_dashboard(page, web, "?range=90d")
    await expect(page.locator("#cards-note")).to_contain_text("Visits are counted from raw events, kept since")
    await page.unroute_all(behavior="ignoreErrors")
    await press(page, "7 d")
    await shown(page)
    await expect(page.locator("#cards-note")).not_to_contain_text("kept since")


async def test_a_panel_returns_to_its_first_tab(web: Site, page: Page) -> None:
    async def empty_for_a_day(route: Route) -> None:
        if "hours=24&" not in route.request.url or "utm_" not in route.request.url:
            await route.continue_()
            return
        answer = await (await route.fetch()).json()
        await route.fulfill(json=answer | {"rows": [], "total": 0, "other": 0})

    await page.route(TOP, empty_for_a_day)
    async with page.expect_request(lambda request: "utm_content" in request.url and "hours=24&" in request.url):
        await page.goto(f"{web.running.url}/?range=24h")
    pressed = page.locator("#campaigns .tabs [aria-pressed=true]")
    await expect(pressed).to_have_text("Campaign")
    await press(page, "7 d")
    await expect(page.locator("#campaigns .bar")).not_to_have_count(0)
    await shown(page)
    await expect(pressed).to_have_text("Campaign")


async def test_a_tabs_question_ends_with_its_range(web: Site, page: Page) -> None:
    def is_old(request: Request) -> bool:
        return "by=entry_page" in request.url and "hours=24&" in request.url

    async def hold(route: Route) -> None:
        if not is_old(route.request):
            await route.continue_()

    await open_dashboard(page, web, "?range=24h")
    await page.route(TOP, hold)
    await page.locator("#pages").get_by_role("button", name="Entry", exact=True).click()
    async with page.expect_event("requestfailed", is_old):
        await press(page, "7 d")
    await shown(page)
    answer = web.get("/api/analytics/top", by="entry_page", metric="visitors", hours=168)
    numbers = page.locator("#pages .bar-number")
    await expect(numbers).to_have_text([f"{row['visitors']:,}" for row in answer["rows"][:8]])


async def test_the_wall_keeps_to_its_address(web: Site, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.clock.install()
    address = f"{web.running.url}/?wall=1&range=this_week&compare=none&event_type=page_viewed"
    await page.goto(address)
    await expect(page.locator(".wall-about")).to_have_text("This week")
    assert set(await page.locator(CHANGES).all_text_contents()) == {"\u00a0"}
    assert any("/now?event_type=page_viewed" in url for url in asked)
    await page.keyboard.press("w")
    assert page.url == address
    await page.evaluate("globalThis.isOld = true")
    await page.route("**/health/live", lambda route: route.abort())
    async with page.expect_request("**/health/live"):
        await page.clock.fast_forward(86_410_000)
    await page.clock.run_for(20_000)
    assert await page.evaluate("globalThis.isOld")
    await page.unroute_all(behavior="ignoreErrors")
    async with page.expect_event("load"):
        await page.clock.run_for(20_000)


async def test_a_note_stands_on_its_day(web: Site, page: Page) -> None:
    # The site is in Kiritimati, where a day begins at ten o'clock of the day before in UTC.
    note = {"id": 1, "at": "2026-03-04T10:00:00.000Z", "day": "2026-03-05", "text": "Launch"}

    async def answer(route: Route) -> None:
        await route.fulfill(json={"ok": True, "count": 1, "annotations": [note]})

    await page.route("**/api/analytics/annotations", answer)
    await open_dashboard(page, web)
    await press(page, "Notes")
    await expect(page.locator("#drawer li")).to_contain_text("Mar 5, 2026")


async def test_colours_hold_without_storage(web: Site, page: Page) -> None:
    await page.add_init_script(
        "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } });"
    )
    await open_dashboard(page, web)
    await press(page, "Arrange")
    await page.locator("#theme").select_option("dark")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
