"""Trends split by a dimension, in a real browser."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect

from tests.browser.support import dashboard
from tests.browser.support.dashboard import address, check_accessible, open_dashboard, shown
from tests.http.support.site import Site


async def test_a_trend_is_split_by_a_dimension(seeded: Site, page: Page, artifacts: Path) -> None:
    with dashboard.without_complaints(page):
        await open_dashboard(page, seeded)
        await page.get_by_label("split by").select_option("action")
        await page.wait_for_url(address("by=action"))
        await shown(page)
        groups = seeded.get("/api/analytics/trends", hours=168, by="action", top=5)["groups"]
        assert len(groups) == 6
        assert groups[-1]["key"] == "(other)"
        heads = await page.locator("#chart-table thead th").all_text_contents()
        assert heads == ["Start", "Events", *(group["key"] for group in groups), "State"]
        for place, group in enumerate(groups):
            assert await dashboard.column(page, 3 + place) == [f"{bucket['value']:,}" for bucket in group["buckets"]]
        sums = [sum(bucket["value"] for bucket in group["buckets"]) for group in groups]
        legend = page.locator("#legend .group")
        assert await legend.all_inner_texts() == [
            f"{group['key']}\n{events:,}" for group, events in zip(groups, sums, strict=True)
        ]
        await check_accessible(page)
        await page.locator("#plot").focus()
        await page.keyboard.press("Home")
        await expect(page.locator("#readout")).to_contain_text(
            f"{groups[0]['key']}: {groups[0]['buckets'][0]['value']}"
        )
        await legend.first.focus()
        await page.keyboard.press("Enter")
        await expect(legend.first).to_have_attribute("aria-pressed", "true")
        await page.screenshot(path=artifacts / "groups.png")
        await page.locator("#card-sessions").click()
        await shown(page)
        sessions = seeded.get("/api/analytics/trends", hours=168, metric="sessions", by="action", top=5)["groups"]
        assert await dashboard.column(page, 3) == [f"{bucket['value']:,}" for bucket in sessions[0]["buckets"]]


async def test_what_cannot_be_split_is_not(seeded: Site, page: Page) -> None:
    await open_dashboard(page, seeded, "?metric=event_types&by=action")
    await expect(page.get_by_label("split by")).to_be_disabled()
    assert await page.locator("#legend .group").count() == 0
    await page.locator("#card-events").click()
    await shown(page)
    await expect(page.get_by_label("split by")).to_have_value("action")
    await expect(page.locator("#legend .group")).to_have_count(6)
