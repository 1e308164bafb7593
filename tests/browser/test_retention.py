"""The retention view in a real browser: its numbers compared with the API's and a count in Python."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.support import dashboard
from tests.browser.support.dashboard import address, check_accessible, check_cards, shown, without_complaints
from tests.browser.support.funnels import percent as share
from tests.browser.support.insights import answer_404, kept_events, open_view, view_shown
from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, now, text_of

# Milliseconds.
SOON = 10_000
COHORTS = "/api/analytics/cohorts"


def percent(part: int, whole: int) -> str:
    return share(part / whole if whole else None)


async def table(page: Page) -> list[list[str]]:
    """Return the cells of each row, without the text for screen readers."""
    read = "all => all.map(row => [...row.cells].slice(1).map(cell => cell.innerText).filter(Boolean))"
    found: list[list[str]] = await page.locator("#retention tbody tr").evaluate_all(read)
    return [[cell.removesuffix("incomplete").strip() for cell in row] for row in found]


def written(answer: Json) -> list[list[str]]:
    return [
        [f"{cohort['size']:,}", *(_cell(returned, cohort["size"]) for returned in cohort["returned"])]
        for cohort in answer["cohorts"]
    ]


def _cell(returned: int, size: int) -> str:
    return f"{percent(returned, size)}\n{returned:,}" if size else "\N{EN DASH}"


def counted(events: Iterable[Json], first: date, days: int) -> list[tuple[int, list[int]]]:
    """Return the size of each day's cohort of users, and how many of them came on that day and on each later day."""
    seen: dict[str, set[date]] = defaultdict(set)
    for event in events:
        if event["user_id"] is not None:
            seen[event["user_id"]].add(event["timestamp"].date())
    cohorts = []
    for day in (first + timedelta(days=place) for place in range(days)):
        users = [days for days in seen.values() if min(days) == day]
        left = (first + timedelta(days=days) - day).days
        cohorts.append((len(users), [sum(day + timedelta(days=by) in days for days in users) for by in range(left)]))
    return cohorts


async def test_its_numbers_are_those_of_the_api_and_of_a_count(seeded: Site, page: Page, artifacts: Path) -> None:
    with without_complaints(page):
        await open_view(page, seeded, "retention", "&range=30d")
        answer = seeded.get(COHORTS, interval="day", hours=720)
        assert await table(page) == written(answer)
        since = hour_start(now()) + HOUR - timedelta(hours=720)
        days = (now().date() - since.date()).days + 1
        assert len(answer["cohorts"]) == days
        events = await kept_events(seeded)
        expected = counted(events, since.date(), days)
        assert [(cohort["size"], cohort["returned"]) for cohort in answer["cohorts"]] == expected
        assert sum(size for size, _ in expected) == len({event["user_id"] for event in events} - {None}) > 30
        over = sum(not complete for cohort in answer["cohorts"] for complete in cohort["complete"] if cohort["size"])
        await expect(page.locator("#retention tbody .unfinished")).to_have_count(over)
        finished = [cohort for cohort in answer["cohorts"] if len(cohort["complete"]) > 1 and cohort["complete"][1]]
        returned = sum(cohort["returned"][1] for cohort in finished)
        whole = percent(returned, sum(cohort["size"] for cohort in finished))
        assert (await page.locator("#retention tfoot td").nth(2).inner_text()).startswith(whole)
        await expect(page.locator("#retention .note")).to_contain_text(
            "each column adds up the cohorts whose period is complete"
        )
        await check_accessible(page)
        await page.screenshot(path=artifacts / "retention.png", full_page=True)


async def test_what_is_counted_is_chosen_and_kept_in_the_address(seeded: Site, page: Page) -> None:
    await open_view(page, seeded, "retention", "&range=30d")
    asked = {"interval": "day", "hours": 720}
    for label, option, name, value in (
        ("interval", "week", "interval", "week"),
        ("per", "visitors", "by", "visitor"),
        ("retention", "active then or later", "retention", "unbounded"),
    ):
        asked[name] = value
        await page.locator(f"#retention [name={label}]").select_option(label=option)
        await page.wait_for_url(address(f"{label}={value}"))
        await view_shown(page, "retention")
        assert await table(page) == written(seeded.get(COHORTS, **asked))
    await page.get_by_label("Data").select_option("real only")
    await view_shown(page, "retention")
    assert await table(page) == written(seeded.get(COHORTS, demo_mode="false", **asked))
    await page.go_back()
    await view_shown(page, "retention")
    assert await table(page) == written(seeded.get(COHORTS, **asked))
    await page.get_by_role("link", name="Overview").press("Enter")
    await shown(page)
    await check_cards(page, seeded, hours=720)


async def test_nothing_found_and_an_old_server(seeded: Site, page: Page, artifacts: Path) -> None:
    await open_view(page, seeded, "retention", "&event_type=nobody")
    await expect(page.locator("#retention .nothing")).to_have_text(
        "No users were first seen in this range. Choose a longer range, or remove a filter."
    )
    await page.screenshot(path=artifacts / "nothing.png")
    await page.route("**/api/analytics/cohorts?*", answer_404)
    await page.get_by_role("button", name="24 h").click()
    await expect(page.locator("#retention .said")).to_contain_text("too old to answer that")
    await check_accessible(page)
    await page.screenshot(path=artifacts / "old.png")


async def test_events_without_users_lead_to_visitors(site: Site, page: Page, artifacts: Path) -> None:
    since = hour_start(now()) - timedelta(days=2, hours=7)  # no other test's user is there
    site.send(an_event(at=since))
    await open_view(page, site, "retention", f"&from={text_of(since)}&to={text_of(since + HOUR)}")
    await expect(page.locator("#retention .nothing")).to_have_text(
        "No event in this range names a user: count visitors instead, or call hourledger.identify()."
    )
    await check_accessible(page)
    await page.screenshot(path=artifacts / "nameless.png")
    await page.get_by_role("button", name="Count visitors").click()
    await page.wait_for_url(address("per=visitor"))
    await view_shown(page, "retention")
    assert await table(page) == [["1", "100%\n1"]]
    # A time without events is no reason to count others.
    await open_view(page, site, "retention", f"&from={text_of(since - HOUR)}&to={text_of(since)}")
    await expect(page.locator("#retention .nothing")).to_have_text(
        "No users were first seen in this range. Choose a longer range."
    )


async def test_it_fits_a_phone_in_both_schemes(seeded: Site, browser: Browser, artifacts: Path) -> None:
    for scheme in ("light", "dark"):
        context = await browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740})
        page = await context.new_page()
        await open_view(page, seeded, "retention", "&range=30d")
        await check_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.screenshot(path=artifacts / f"{scheme}.png", full_page=True)
        await context.close()


async def test_a_view_that_is_opened_by_its_address_moves_nothing(seeded: Site, browser: Browser) -> None:
    context = await browser.new_context(viewport={"width": 1280, "height": 900})
    await context.add_init_script(dashboard.WATCH_SHIFTS)
    page = await context.new_page()
    for view, query in (("retention", "&range=30d"), ("funnels", "&step=action+%3D+run&step=action+%3D+copy")):
        await open_view(page, seeded, view, query)
        assert await page.evaluate("globalThis.moved") < 0.05
    await context.close()


async def test_a_view_asks_when_it_is_seen_and_not_on_its_own(seeded: Site, page: Page) -> None:
    asked: list[str] = []
    await page.clock.install()
    # On a busy machine the view can be visible before it has asked.
    async with page.expect_response("**/api/analytics/cohorts?*"):
        await open_view(page, seeded, "retention")
    page.on("request", lambda request: asked.append(request.url))
    await page.clock.run_for(180_000)
    # The header's proofs alone follow the log.
    assert [url for url in asked if not re.search("/api/analytics/(live|proofs)", url)] == []
    async with page.expect_response("**/api/analytics/cohorts?*"):
        await page.get_by_role("button", name="Refresh").click()
    await view_shown(page, "retention")
    asked.clear()
    await page.get_by_role("link", name="Funnels").click()
    await expect(page.locator("#funnels")).to_be_visible()
    await expect(page.locator("#retention")).to_be_hidden()
    assert [url for url in asked if "/summary" in url or "/cohorts" in url] == []


async def test_a_question_that_is_no_longer_wanted_is_given_up(seeded: Site, page: Page) -> None:
    ended: list[str] = []

    async def never(_: object) -> None:
        pass

    await page.route("**/api/analytics/cohorts?*", never)
    page.on("requestfailed", lambda request: ended.append(request.url))
    await page.goto(f"{seeded.running.url}/?view=retention")
    await expect(page.locator("#retention .stale")).to_have_count(1)
    # The request must end at once, not at the page's time limit.
    async with page.expect_event("requestfailed", lambda request: "hours=168" in request.url, timeout=SOON):
        await page.get_by_role("button", name="24 h").click()
    async with page.expect_event("requestfailed", lambda request: "hours=24" in request.url, timeout=SOON):
        await page.get_by_role("link", name="Overview").click()
    await shown(page)
    assert sum("/cohorts" in url for url in ended) == 2
    await page.unroute_all(behavior="ignoreErrors")
