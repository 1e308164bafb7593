"""Export from the dashboard: the saved file equals the service's export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.support.dashboard import check_accessible, open_dashboard
from tests.browser.support.insights import answer_404
from tests.http.support.site import Site

# A test cannot use the browser's file dialog, so the page must save without it.
NO_PICKER = "delete globalThis.showSaveFilePicker"


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


async def test_without_a_token_it_is_a_link(seeded: Site, page: Page, artifacts: Path) -> None:
    await open_dashboard(page, seeded, "?range=24h&event_type=page_view")
    await page.get_by_role("button", name="Export", exact=True).press("Enter")
    await expect(page.get_by_label("What", exact=True)).to_be_focused()
    await check_accessible(page)
    await page.screenshot(path=artifacts / "export.png")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download").click()
    download = await downloading.value
    expected = seeded.get("/api/analytics/track", hours=24, event_type="page_view", limit=1)["total_in_range"]
    found = list(csv.DictReader(lines_of(await download.path())))
    assert {row["event_type"] for row in found} == {"page_view"}
    assert abs(len(found) - expected) <= 10  # one counts back from now, the other from the end of the hour
    await page.get_by_label("What", exact=True).select_option("rollups")
    await page.get_by_label("Format").select_option("ndjson")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download").click()
    download = await downloading.value
    rows = [json.loads(line) for line in lines_of(await download.path())]
    totals = {row["hour"]: row["value"] for row in rows if row["measure"] == "total_events"}
    listed = seeded.get("/api/analytics/rollups", hours=24)["rollups"]
    # Compare only hours that were over.
    expected = {row["hour"]: row["total_events"] for row in listed[1:]}
    assert {hour: totals[hour] for hour in expected} == expected


async def test_with_a_token_it_is_read_with_it(tokened: Site, knowing_page: Page) -> None:
    page = knowing_page
    await page.add_init_script(NO_PICKER)
    # A longer range, because the last day may have no event at night or at a weekend.
    await open_dashboard(page, tokened, "?range=7d")
    await page.get_by_role("button", name="Export", exact=True).click()
    await expect(page.locator("#drawer")).to_contain_text("whole file in memory")
    async with page.expect_download() as downloading:
        await page.get_by_role("button", name="Download").click()
    download = await downloading.value
    assert download.suggested_filename == "events.csv"
    assert list(csv.DictReader(lines_of(await download.path())))
    await expect(page.locator("#announcement")).to_contain_text("Saved ")
    assert "read-token" not in page.url
    await page.route("**/api/analytics/export?*", answer_404)
    await page.get_by_role("button", name="Download").click()
    await expect(page.locator("#drawer .said")).to_contain_text("too old to answer that")
