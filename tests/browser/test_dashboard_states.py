"""The dashboard without a token, events or server, and with hostile values; it is accessible in every state."""

from __future__ import annotations

import re
from asyncio import Event
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from sql.hourly import OTHER
from tests.browser.support import dashboard
from tests.browser.support.dashboard import (
    SCHEMES,
    Scheme,
    check_accessible,
    check_cards,
    in_both_schemes,
    open_dashboard,
    shown,
)
from tests.browser.support.seeded import HOSTILE, hostile_events
from tests.conftest import Servers
from tests.http.support.site import Site, new_site, now

TOKEN = "a-token,with:signs&?"  # noqa: S105
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
STATES = ("open", "verified", "sealed", "drifted", "damaged", "broken")


@pytest_asyncio.fixture(scope="module")
async def guarded(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service that requires a token and has no events until a test sends some."""
    async with new_site(servers, folder, HOURLEDGER_READ_TOKEN=TOKEN) as site:
        site.client.headers["authorization"] = f"Bearer {TOKEN}"
        yield site


@pytest_asyncio.fixture
async def own(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service for a test whose keys must all be listed, not summed as (other) beside those of other tests."""
    async with new_site(servers, folder) as site:
        yield site


async def give_token(page: Page, token: str) -> None:
    await page.locator("#sign-in-key").fill(token)
    await page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_the_token_is_asked_for_and_the_first_event_explained(
    guarded: Site, browser: Browser, artifacts: Path, scheme: Scheme
) -> None:
    context = await browser.new_context(color_scheme=scheme, viewport=DESKTOP)
    page = await context.new_page()
    await page.goto(guarded.running.url)
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(page.locator("#sign-in-key")).to_be_focused()
    await check_accessible(page)
    for wrong in ("wrong", "wróng", "w r"):
        await give_token(page, wrong)
        await expect(page.get_by_text("This key or token is wrong")).to_be_visible()
        await expect(page.locator("#sign-in-key")).to_have_value("")
    await page.screenshot(path=artifacts / "token.png")
    await give_token(page, TOKEN)
    await expect(page.get_by_text("No events yet.")).to_be_visible()
    assert f"curl {guarded.running.url}/e" in await page.locator("#empty").inner_text()
    line = f'<script src="{guarded.running.url}/h.js" data-auto defer></script>'
    assert line in await page.locator("#empty").inner_text()
    assert line in guarded.log(), "serve prints the same one"
    await shown(page)
    await check_accessible(page)
    await page.screenshot(path=artifacts / "empty.png")
    await page.reload()
    await expect(page.get_by_text("No events yet.")).to_be_visible()
    assert page.url == f"{guarded.running.url}/"
    assert await page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    (cookie,) = await context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["secure"], cookie["path"]) == (True, "Strict", False, "/")
    await context.close()


async def test_a_part_that_fails_does_not_take_the_others_along(seeded: Site, page: Page, artifacts: Path) -> None:
    async def fail(route: Route) -> None:
        await route.fulfill(status=422, json={"ok": False, "error": {"code": "too_slow", "message": "too slow"}})

    await page.route("**/api/analytics/top?*", fail)
    await page.goto(seeded.running.url)
    await expect(page.locator("#actions .fault")).to_have_text("Could not load: too slow")
    await check_cards(page, seeded, hours=168)
    assert await page.locator(".fault:visible").count() == 1
    await in_both_schemes(page, artifacts, "failed")
    await page.unroute("**/api/analytics/top?*")
    await page.get_by_role("button", name="24 h").click()
    await expect(page.locator("#actions .fault")).to_be_hidden()
    await shown(page)


async def test_without_a_stream_it_asks_again_and_again(seeded: Site, page: Page) -> None:
    async def refuse(route: Route) -> None:
        await route.fulfill(status=503, json={"ok": False, "error": {"code": "unavailable", "message": "too many"}})

    await page.route("**/api/analytics/live", refuse)
    await page.clock.install()
    await open_dashboard(page, seeded, "?range=1h")
    await expect(page.locator("#connection")).to_have_text("Updates every 10 seconds")
    async with page.expect_response("**/api/analytics/summary?*"):
        await page.clock.run_for(13_000)


async def test_an_overloaded_service_is_told_in_the_header(seeded: Site, page: Page, artifacts: Path) -> None:
    async def overloaded(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(response=answer, headers=answer.headers | {"hourledger-overloaded": "queue"})

    await page.route(re.compile(r"/api/analytics/(?!live)"), overloaded)
    await open_dashboard(page, seeded)
    await expect(page.locator("#connection")).to_have_text("Overloaded: some events are refused")
    await in_both_schemes(page, artifacts, "overloaded")
    await check_accessible(page)
    await page.unroute_all(behavior="ignoreErrors")
    await page.get_by_role("button", name="24 h").click()
    await expect(page.locator("#connection")).to_have_text("Live")


async def test_what_loads_has_its_place(seeded: Site, page: Page, artifacts: Path) -> None:
    async def never(_: Route) -> None:
        pass

    await page.route("**/api/**", never)
    await page.goto(seeded.running.url)
    await expect(page.locator("#connection")).to_have_text("Loading …")
    await in_both_schemes(page, artifacts, "loading")
    before = [await page.locator(f"#{name}").bounding_box() for name in ("cards", "chart", "proofs", "recent")]
    await page.unroute_all(behavior="ignoreErrors")
    await open_dashboard(page, seeded)
    assert [await page.locator(f"#{name}").bounding_box() for name in ("cards", "chart", "proofs", "recent")] == before


async def test_hostile_values_are_texts(own: Site, page: Page, artifacts: Path) -> None:
    own.send(*hostile_events(now()))
    await page.set_viewport_size(DESKTOP)
    with dashboard.without_complaints(page):
        await open_dashboard(page, own, "?range=1h")
        keys = {key for key, _ in await dashboard.bars(page, "types")}
        listed = own.get("/api/analytics/summary", hours=1)["event_types"]
        assert {row["key"] for row in listed} >= set(HOSTILE)
        assert len(keys) == len(listed)
        assert await page.title() == "hourledger"
        assert await page.locator("main img, main script").count() == 0
        await in_both_schemes(page, artifacts, "hostile")
        for text in HOSTILE:
            row = page.locator("#types .bar").filter(has=page.locator(".bar-key").get_by_text(text, exact=True))
            if text == OTHER:  # what stands for names without a row of their own is no filter
                assert await row.evaluate("row => row.tagName") == "DIV"
                continue
            await row.click()
            await shown(page)
            await check_cards(page, own, hours=1, event_type=text)
            await page.locator("#chips button").click()
            await expect(page.locator("#chips button")).to_have_count(0)
            await shown(page)
        assert await page.evaluate("document.documentElement.scrollWidth") <= DESKTOP["width"]
        await page.set_viewport_size(PHONE)
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_every_state_of_a_proof_has_its_look(
    seeded: Site, browser: Browser, artifacts: Path, scheme: Scheme
) -> None:
    context = await browser.new_context(color_scheme=scheme, viewport=DESKTOP)
    page = await context.new_page()

    async def worsen(route: Route) -> None:
        body = await (await route.fetch()).json()
        for place, proof in enumerate(body["proofs"]):
            proof["state"] = STATES[place % len(STATES)]
        await route.fulfill(json=body)

    await page.route("**/api/analytics/proofs?*", worsen)
    await open_dashboard(page, seeded)
    looks = set()
    for state in STATES:
        cell = page.locator(f"#strip .cell.{state}").first
        assert f": {state}, " in (await cell.get_attribute("aria-label") or "")
        look = "e => { const s = getComputedStyle(e); return s.borderRadius + s.borderWidth + s.boxShadow; }"
        looks.add((await cell.text_content(), await cell.evaluate(look)))
    assert len(looks) == len(STATES)  # the looks differ even without colours
    await check_accessible(page)
    await page.locator("#proofs").screenshot(path=artifacts / "proofs.png")
    await context.close()


@pytest.mark.parametrize("scheme", SCHEMES)
async def test_axe_finds_nothing_serious(seeded: Site, browser: Browser, artifacts: Path, scheme: Scheme) -> None:
    context = await browser.new_context(color_scheme=scheme, viewport=DESKTOP, reduced_motion="reduce")
    page = await context.new_page()
    for name, size, query in (
        ("week", DESKTOP, ""),
        ("quarter", DESKTOP, "?range=90d&compare=none&metric=sessions"),
        ("filtered", DESKTOP, "?range=24h&compare=week&event_type=page_view"),
        ("nothing", DESKTOP, "?range=1h&event_type=nobody-sends-this"),
        ("phone", PHONE, "?range=24h"),
    ):
        await page.set_viewport_size(size)
        await open_dashboard(page, seeded, query)
        if name in ("week", "filtered"):  # the other pictures show the same elements
            await check_accessible(page)
        await page.screenshot(path=artifacts / f"{name}.png", full_page=True)
        assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    await context.close()


async def test_a_hidden_page_asks_for_nothing(seeded: Site, page: Page) -> None:
    asked: list[str] = []
    await page.add_init_script(
        "globalThis.away = false; Object.defineProperty(document, 'hidden', { get: () => globalThis.away });"
    )
    await page.clock.install()
    await open_dashboard(page, seeded, "?range=1h")
    page.on("request", lambda request: asked.append(request.url))
    await page.evaluate("globalThis.away = true")
    await page.clock.run_for(180_000)
    assert [url for url in asked if "/summary" in url] == []
    async with page.expect_response("**/api/analytics/summary?*"):
        await page.evaluate("globalThis.away = false; document.dispatchEvent(new Event('visibilitychange'));")
        # Less than the two seconds between two rounds: the page may ask again after those.
        await page.clock.run_for(1_000)
    assert len([url for url in asked if "/summary" in url]) == 1


async def test_a_refusal_that_comes_late_does_not_take_the_token_away(guarded: Site, page: Page) -> None:
    given = Event()

    async def late(route: Route) -> None:
        answer = await route.fetch()
        await given.wait()
        await route.fulfill(response=answer)

    await page.route("**/api/analytics/cohorts?*", late, times=1)
    await page.goto(f"{guarded.running.url}/?view=retention")
    await give_token(page, TOKEN)
    await expect(page.locator("#connection")).to_have_text("Live")
    given.set()
    await expect(page.locator("#retention .stale")).to_have_count(0)
    await expect(page.locator("#retention .triangle-place")).not_to_be_empty()
    await expect(page.locator("#sign-in-panel")).to_be_hidden()
