"""An hour whose proof failed: the header tells it, numbers that stand on it are marked, and it shows how to mend it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from operator import not_
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from service.ingest.timestamps import parse_time
from tests.browser.support import dashboard
from tests.browser.support.dashboard import check_accessible, open_dashboard, without_complaints
from tests.browser.support.insights import open_view
from tests.http.support.proven_hour import BUSY, Hour
from tests.http.support.site import HOUR, Site, now
from tests.support.waiting import wait_until

FOCUSED = "document.activeElement.getAttribute('aria-label')"


@pytest.fixture
def drifted(seeded: Site) -> Iterator[Hour]:
    """Give an hour of some days ago whose rollup counts five events of one type too many; it is mended afterwards."""
    proofs = seeded.get("/api/analytics/proofs", hours=168)["proofs"]
    old = now() - timedelta(hours=60)
    times = (parse_time(proof["hour"]) for proof in proofs if proof["events"] >= 4)
    hours = (Hour(seeded, time) for time in times if time < old)
    hour = next(each for each in hours if "page_view" in each.shown()["rollup"]["event_counts"])
    hour.folded()
    hour.verify()
    wait_until(lambda: seeded.rows(BUSY), "no other verification of it is under way", holds=not_)
    seeded.rows(
        "update hourly_counts set events_15 = events_15 + 5"
        " where hour = $1 and dimension = 'event_type' and key = 'page_view'",
        hour.start,
    )
    hour.verify(code=1)
    yield hour
    hour.run("rebuild", 0)
    hour.verify()


async def test_it_is_told_marked_and_led_to(seeded: Site, drifted: Hour, page: Page, artifacts: Path) -> None:
    found = drifted.shown()["differences"]
    with without_complaints(page):
        await open_dashboard(page, seeded, "?range=30d")
        await expect(page.locator("#verdict")).to_have_text("1 hour is wrong: show")
        await expect(page.locator(".card-wrong:visible")).to_have_count(len(dashboard.METRICS))
        await expect(page.locator("#cards-note")).to_contain_text("Each total stands on 1 wrong hour.")
        await expect(page.locator("#legend")).to_contain_text("stands on a wrong hour")
        states = await page.locator("#chart-table tbody tr > :last-child").all_text_contents()
        assert [state for state in states if "wrong" in state] == ["complete, stands on 1 wrong hour"]
        await page.locator("#verdict a").focus()
        await page.keyboard.press("Enter")
        assert ": drifted, " in await page.evaluate(FOCUSED)
        rows = page.locator("#wrong-hour tbody tr")
        await expect(rows).to_have_count(len(found))
        cells = [await row.locator("th, td").all_inner_texts() for row in await rows.all()]
        assert sorted((cell[0].split()[-1], *cell[-2:]) for cell in cells) == sorted(
            (each["key"], each["stored"], each["recounted"]) for each in found
        )
        range_text = f"FROM={drifted.start:%Y-%m-%dT%H:%MZ} TO={drifted.start + HOUR:%Y-%m-%dT%H:%MZ}"
        commands = [f"make rebuild-projections {range_text}", f"make verify {range_text}"]
        assert await page.locator("#wrong-hour code").all_inner_texts() == commands
        await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        await page.locator("#wrong-hour .command button").first.click()
        await expect(page.locator("#wrong-hour .command button").first).to_have_text("Copied")
        assert await page.evaluate("navigator.clipboard.readText()") == commands[0]
        await expect(page.locator("#proof")).to_contain_text("Checked ")
        await expect(page.locator("#proof")).not_to_contain_text("Verified")
        await check_accessible(page)
        await page.screenshot(path=artifacts / "wrong.png", full_page=True)


async def test_every_view_tells_it_and_leads_to_it(seeded: Site, drifted: Hour, page: Page) -> None:
    for view in ("funnels", "retention"):
        await open_view(page, seeded, view)
        await page.locator("#verdict a").click()
        await expect(page.locator("#strip .cell.drifted")).to_be_focused()
        assert "view=" not in page.url
    await open_dashboard(page, seeded, "?range=24h")
    await expect(page.locator("#verdict")).to_contain_text(", 1 wrong hour outside of the range: show")
    await expect(page.locator(".card-wrong:visible")).to_have_count(0)
    await page.locator("#verdict a").click()
    await expect(page.locator("#strip .cell.drifted")).to_be_focused()
    await expect(page.locator("#verdict")).to_have_text("1 hour is wrong: show")
    await expect(page.locator("#wrong-hour code").first).to_contain_text(f"FROM={drifted.start:%Y-%m-%dT%H:%MZ}")


async def test_a_comparison_with_a_wrong_hour_is_marked(seeded: Site, drifted: Hour, page: Page) -> None:
    since, until = (f"{drifted.start + step * HOUR:%Y-%m-%dT%H:%M:%SZ}" for step in (3, 7))
    await open_dashboard(page, seeded, f"?from={since}&to={until}")
    await expect(page.locator("#cards-note")).to_contain_text("The period before stands on 1 wrong hour.")
    await expect(page.locator("#legend")).to_contain_text(re.compile("comparison, from .*, stands on a wrong hour"))
    await expect(page.locator(".card-wrong:visible")).to_have_count(0)


async def test_a_number_from_raw_events_does_not_stand_on_a_rollup(seeded: Site, drifted: Hour, page: Page) -> None:
    await open_dashboard(page, seeded, "?range=30d&action=run")
    await expect(page.locator("#verdict")).to_have_text("1 hour is wrong: show")
    await expect(page.locator(".card-wrong:visible")).to_have_count(0)
    await expect(page.locator("#legend")).not_to_contain_text("wrong")
    assert drifted.proof()["state"] == "drifted"


async def test_the_chart_reads_out_which_value_is_doubtful(seeded: Site, drifted: Hour, page: Page) -> None:
    await open_dashboard(page, seeded)
    await page.locator("#plot").focus()
    await page.keyboard.press("Home")
    for _ in range(168):
        if "wrong" in await page.locator("#readout").inner_text():
            break
        await page.keyboard.press("ArrowRight")
    await expect(page.locator("#readout")).to_contain_text(", stands on 1 wrong hour")
    assert drifted.proof()["state"] == "drifted"
