"""Export from the dashboard: the saved file equals the service's export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.support.dashboard import check_accessible, open_dashboard
from tests.http.support.site import Site


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


async def test_it_is_a_link(seeded: Site, page: Page, artifacts: Path) -> None:
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


async def test_whoever_is_signed_in_downloads_by_the_same_link(tokened: Site, knowing_page: Page) -> None:
    page = knowing_page
    # A longer range, because the last day may have no event at night or at a weekend.
    await open_dashboard(page, tokened, "?range=7d")
    await page.get_by_role("button", name="Export", exact=True).click()
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download").click()
    download = await downloading.value
    assert download.suggested_filename.startswith("events-")
    assert list(csv.DictReader(lines_of(await download.path())))
