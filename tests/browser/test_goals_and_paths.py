"""The views of goals and of paths: their numbers against counts in Python, saving and deleting, addresses, a phone."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from tests.browser.support.dashboard import address, check_accessible, in_both_schemes, shown, without_complaints
from tests.browser.support.funnels import percent
from tests.browser.support.goals_and_paths import DEFINED, Sent, written_tree
from tests.browser.support.insights import open_view, view_shown
from tests.conftest import Servers
from tests.http.support.site import new_site

DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
GOALS = "/api/analytics/goals"
FIGURES = """all => all.map(row => [...row.querySelectorAll(":scope > .figures > *")].map(part =>
  [...part.querySelectorAll(".bar-key, .bar-number, bdi")].map(text => text.textContent)))"""
EXPAND = """() => {
  for (let button; (button = document.querySelector('#paths .icon[aria-expanded="false"]'));) button.click();
}"""
TREE = """list => {
  const text = (item, name) => item.querySelector(`:scope > .path .${name}`).textContent;
  const read = (list) => [...list?.children ?? []].map(item => [
    ...["bar-key", "bar-number", "bar-share", "path-left"].map(name => text(item, name)),
    read(item.querySelector(":scope > ol")),
  ]);
  return read(list);
}"""


@pytest_asyncio.fixture(scope="module")
async def web(servers: Servers, folder: Path) -> AsyncIterator[Sent]:
    async with new_site(servers, folder) as site:
        yield Sent(site)
        site.check_log()


@pytest_asyncio.fixture(scope="module")
async def board(browser: Browser) -> AsyncIterator[Page]:
    """Give a page that all tests share."""
    context = await browser.new_context(viewport=DESKTOP)
    yield await context.new_page()
    await context.close()


@pytest.fixture
def defined(web: Sent) -> None:
    """Save the goals."""
    for name, goal in DEFINED.items():
        assert web.site.client.put(f"{GOALS}/{name}", json=goal).status_code == 200


async def figures(rows: Locator) -> list[list[list[str]]]:
    return list(await rows.evaluate_all(FIGURES))


async def on_a_phone(page: Page, picture: Path) -> None:
    """Check that the page fits a phone; take a picture."""
    await page.set_viewport_size(PHONE)
    await page.screenshot(path=picture, full_page=True)
    assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    await page.set_viewport_size(DESKTOP)


async def test_a_goal_is_saved_mended_and_deleted(web: Sent, board: Page, artifacts: Path) -> None:
    await open_view(board, web.site, "goals")
    await expect(board.locator(".about-goals")).to_contain_text("A goal is something that visits should reach")
    await check_accessible(board)
    await in_both_schemes(board, artifacts, "empty")
    await on_a_phone(board, artifacts / "empty-phone.png")
    form = board.get_by_role("form", name="New goal")
    await board.get_by_role("button", name="An event").click()
    await form.get_by_label("Condition").fill("plan = pro")
    await board.keyboard.press("Enter")
    await expect(form.get_by_role("alert")).to_contain_text("The server rejected this: where")
    await expect(form.get_by_label("Condition")).to_be_focused()
    await expect(form.get_by_label("Condition")).to_have_attribute("aria-describedby", "goal-said")
    await check_accessible(board)
    await board.screenshot(path=artifacts / "refused.png", full_page=True)
    await form.get_by_label("Condition").fill("properties.plan = pro")
    await board.keyboard.press("Enter")
    await expect(board.locator(".goal-name")).to_have_text(["Sign-up"])
    await expect(form).to_be_hidden()
    (saved,) = web.site.get(GOALS)["goals"]
    assert {name: saved[name] for name in DEFINED["Sign-up"]} == DEFINED["Sign-up"]

    await check_that_a_goal_needs_something_to_reach(board, form)
    await board.get_by_role("button", name="Delete: Sign-up").click()
    await board.get_by_role("button", name="Really delete: Sign-up?").click()
    await expect(board.locator(".about-goals")).to_be_visible()
    assert web.site.get(GOALS)["goals"] == []


async def check_that_a_goal_needs_something_to_reach(board: Page, form: Locator) -> None:
    await expect(board.get_by_role("button", name="New goal")).to_be_focused()
    await board.keyboard.press("Enter")
    await form.get_by_label("Name").fill("nothing")
    await board.keyboard.press("Enter")
    await expect(form.get_by_role("alert")).to_contain_text("must have one of event_type, path and where")
    await expect(form.get_by_label("Event type")).to_be_focused()
    await board.keyboard.press("Escape")
    await expect(board.get_by_role("button", name="New goal")).to_be_focused()


@pytest.mark.usefixtures("defined")
async def test_goals_show_how_many_reach_them_and_by_what(web: Sent, board: Page, artifacts: Path) -> None:
    with without_complaints(board):
        await open_view(board, web.site, "goals", "&goal=Sign-up&by=properties.utm_campaign")
        goals, rates = board.locator("#goals .goals:not(.rates .goals) > li"), board.locator(".rates .goals > li")
        assert await figures(goals) == [web.figures(goal) for goal in DEFINED]
        worth = f"{web.worth():,}".removesuffix(".0")
        await expect(board.locator("#goals .goals:not(.rates .goals) > li > .figures .worth")).to_have_text(
            f"{worth} properties.revenue"
        )
        keys = await rates.locator(".rate-key").all_inner_texts()
        assert sorted(keys) == ["launch", "spring"]
        assert await figures(rates) == [web.by_campaign("Sign-up", key) for key in keys]
        await check_accessible(board)
        await in_both_schemes(board, artifacts, "goals")
        await on_a_phone(board, artifacts / "goals-phone.png")

        await rates.get_by_role("button", name="spring").press("Enter")
        await board.wait_for_url(address("where=properties.utm_campaign"))
        await view_shown(board, "goals")
        assert await figures(goals) == [web.by_campaign(goal, "spring") for goal in DEFINED]
        await expect(rates.get_by_role("button", name="spring")).to_be_focused()
        await expect(rates.get_by_role("button", name="spring")).to_have_attribute("aria-pressed", "true")
        await board.go_back()
        await view_shown(board, "goals")

        await board.locator(".rates select").select_option("properties.path")
        await board.wait_for_url(address("by=properties.path"))
        await view_shown(board, "goals")
        await expect(rates.get_by_text("(other)")).to_be_visible()
        await expect(rates.get_by_role("button", name="(other)")).to_have_count(0)
        await board.get_by_role("button", name="Sign-up", exact=True).click()
        await expect(board.locator(".rates")).to_be_hidden()
        assert "goal=" not in board.url


async def test_paths_lead_on_and_back_as_nested_lists(web: Sent, board: Page, artifacts: Path) -> None:
    with without_complaints(board):
        await open_view(board, web.site, "paths")
        # The most viewed page comes first by itself.
        found = web.tree("/", backwards=False)
        await expect(board.locator("#paths .headline")).to_have_text(f"{found['visits']} visits viewed /")
        part = percent(found["left"] / found["visits"])
        await expect(board.locator("#paths .headline + p")).to_have_text(
            f"{found['left']} of them ({part}) left the site there."
        )
        await check_accessible(board)
        await in_both_schemes(board, artifacts, "paths")
        await on_a_phone(board, artifacts / "paths-phone.png")
        await board.evaluate(EXPAND)
        assert await tree(board) == written_tree(found, found["visits"], "left")
        assert await board.get_by_role("list", name="Pages after /", exact=True).count() >= 1
        await expect(board.get_by_role("button", name="Start here: /docs", exact=True).first).to_be_visible()
        await expect(board.locator("#paths").get_by_text("(other)").first).to_be_visible()
        await expect(board.get_by_role("button", name="Start here: (other)")).to_have_count(0)

        await board.get_by_role("button", name="Start here: /pricing", exact=True).first.press("Enter")
        await board.wait_for_url(address("page=%2Fpricing"))
        await view_shown(board, "paths")
        await expect(board.locator("#paths .headline")).to_be_focused()
        await board.locator("#paths [name=direction]").select_option("previous")
        await board.wait_for_url(address("direction=previous"))
        await view_shown(board, "paths")
        found = web.tree("/pricing", backwards=True)
        await expect(board.locator("#paths .headline")).to_have_text(f"{found['visits']} visits viewed /pricing")
        await board.evaluate(EXPAND)
        assert await tree(board) == written_tree(found, found["visits"], "began here")
        await board.get_by_role("button", name="Pages before /docs", exact=True).first.press("Enter")
        await expect(board.locator("#paths [aria-expanded=false]")).to_have_count(1)


async def test_a_page_is_found_with_any_filter_and_one_that_nobody_views_is_named(web: Sent, board: Page) -> None:
    with without_complaints(board):
        # No page view passes this filter.
        await open_view(board, web.site, "paths", "&event_type=signup")
        await expect(board.locator("#paths .headline")).to_contain_text("viewed /")
        await open_view(board, web.site, "paths", "&page=/nowhere")
        await expect(board.locator("#paths .nothing")).to_contain_text("No visit viewed /nowhere in this range.")


async def tree(page: Page) -> list[list[object]]:
    return list(await page.locator("#paths .outcome > ol").evaluate(TREE))


@pytest.mark.usefixtures("defined")
async def test_they_ask_only_while_they_are_seen_and_tell_that_the_server_is_gone(web: Sent, board: Page) -> None:
    asked: list[str] = []
    await open_view(board, web.site, "goals", "&goal=Sign-up")
    await board.get_by_role("link", name="Paths").click()
    await view_shown(board, "paths")
    await board.get_by_role("link", name="Overview").click()
    await shown(board)
    board.on("request", lambda request: asked.append(request.url))
    await board.get_by_role("button", name="24 h").click()
    await shown(board)
    assert [url for url in asked if re.search("/goals|/paths", url)] == []
    await board.route("**/api/**", lambda route: route.abort())
    for view in ("goals", "paths"):
        await board.get_by_role("link", name=view.capitalize()).click()
        await expect(board.locator(f"#{view} .said").first).to_contain_text("The server does not answer")
        await expect(board.locator(f"#{view} .outcome").first).to_be_empty()
    await board.unroute_all(behavior="ignoreErrors")
    await expect(board.locator("#paths .headline")).to_be_visible()
