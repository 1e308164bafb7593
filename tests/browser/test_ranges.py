"""The range of the dashboard: last hours, local days in any zone, days of 25 hours, times before the first event."""

from __future__ import annotations

import json
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.browser.support import dashboard
from tests.browser.support.dashboard import address, check_cards, open_dashboard, shown
from tests.http.support.site import HOUR, Json, Site, hour_start, now, text_of

HOURS = {"1 h": 1, "6 h": 6, "24 h": 24, "7 d": 168, "30 d": 720, "90 d": 2160}
POINTS = {"1 h": 60, "6 h": 24, "24 h": 24, "7 d": 168}
UNITS = {"1 h": "by minute", "6 h": "by quarter hour", "24 h": "by hour", "7 d": "by hour", "30 d": "by day"}
# Zones whose days do not begin at a full hour of UTC, at least for a part of the year.
ZONES = ("Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns")
DAY = timedelta(days=1)
QUARTER = timedelta(minutes=15)


def quarter_start(moment: datetime) -> datetime:
    return moment - (moment - hour_start(moment)) % QUARTER


def asked_for(hours: int) -> Json:
    """Return the range that the page asks for: below a day it ends with the current quarter."""
    if hours >= 24:
        return {"hours": hours}
    until = quarter_start(now()) + QUARTER
    return between(until - hours * HOUR, until)


def between(since: datetime, until: datetime) -> Json:
    return {"from": text_of(since), "to": text_of(until)}


def moments(site: Site) -> list[datetime]:
    """Return the times of all events, oldest first."""
    export = site.client.get("/api/analytics/export", params={"format": "ndjson", "hours": "720"}).text
    return [datetime.fromisoformat(json.loads(line)["timestamp"]) for line in export.splitlines()]


async def context_in(browser: Browser, zone: str) -> BrowserContext:
    return await browser.new_context(timezone_id=zone, locale="en-US")


async def test_every_range_is_shown_and_kept_in_the_address(seeded: Site, page: Page) -> None:
    await open_dashboard(page, seeded, "?range=6h")
    for name, hours in HOURS.items():
        button = page.get_by_role("button", name=name, exact=True)
        while True:
            asked = asked_for(hours)
            await button.click()
            await expect(button).to_have_attribute("aria-pressed", "true")
            await shown(page)
            if asked == asked_for(hours):
                break
        await check_cards(page, seeded, **asked)
        await expect(page.locator("#legend")).to_contain_text(UNITS.get(name, "by day"))
        rows = await dashboard.column(page, 2)
        assert len(rows) == POINTS.get(name, len(rows))
        totals = seeded.get("/api/analytics/summary", **asked)["totals"]
        assert sum(int(text.replace(",", "")) for text in rows if text != "\N{EN DASH}") == totals["events"]
    await page.go_back()
    await expect(page.get_by_role("button", name="30 d")).to_have_attribute("aria-pressed", "true")
    await shown(page)
    await check_cards(page, seeded, hours=720)


@pytest.mark.parametrize("zone", ZONES)
async def test_a_chosen_day_is_exactly_that_day(seeded: Site, browser: Browser, zone: str) -> None:
    there = ZoneInfo(zone)
    day = now().astimezone(there).date() - 3 * DAY
    events = sum(moment.astimezone(there).date() == day for moment in moments(seeded))
    since, until = (datetime.combine(date, time(), there).astimezone(UTC) for date in (day, day + DAY))
    context = await context_in(browser, zone)
    page = await context.new_page()
    await open_dashboard(page, seeded)
    await page.get_by_role("button", name="Custom").click()
    await page.get_by_label("From").fill(f"{day}T00:00")
    await page.get_by_label("To", exact=True).fill(f"{day + DAY}T00:00")
    await page.locator("#custom").get_by_role("button", name="Show").click()
    await page.wait_for_url(address("from=.*to="))
    await shown(page)
    await expect(page.locator("#card-events .card-value")).to_have_text(f"{events:,}")
    await check_cards(page, seeded, **between(since, until))
    values = [int(text) for text in await dashboard.column(page, 2)]
    assert sum(values) == events > 0
    starts = [text.split()[-2:] for text in await dashboard.column(page, 1)]
    assert (starts[0], starts[-1]) == (["12:00", "AM"], ["11:00", "PM"])
    await page.reload()
    await shown(page)
    assert await page.get_by_label("From").input_value() == f"{day}T00:00"
    assert await page.get_by_label("To", exact=True).input_value() == f"{day + DAY}T00:00"
    await check_cards(page, seeded, **between(since, until))
    await context.close()


def clocks_back(zone: ZoneInfo) -> datetime:
    """Return the last hour before now that comes twice in a zone, the second time."""
    hour = hour_start(now())
    while (hour - HOUR).astimezone(zone).hour != hour.astimezone(zone).hour:
        hour -= HOUR
    return hour


async def test_an_hour_that_comes_twice_is_told_apart(seeded: Site, browser: Browser) -> None:
    zone = ZoneInfo("America/New_York")
    second = clocks_back(zone)
    since, until = second - 2 * HOUR, second + 23 * HOUR
    context = await context_in(browser, str(zone))
    page = await context.new_page()
    await open_dashboard(page, seeded, f"?from={text_of(since)}&to={text_of(until)}")
    starts = [text.replace("\u202f", " ") for text in await dashboard.column(page, 1)]
    assert len(set(starts)) == len(starts) == 25
    assert [text.partition(", 1:00 AM")[2].strip() for text in starts[1:3]] == ["EDT", "EST"]
    assert not any(text.endswith("T") for text in [starts[0], *starts[3:]])
    cells = await page.locator("#strip .cell").evaluate_all("all => all.map(cell => cell.ariaLabel)")
    assert len(set(cells)) == len(cells) == 25
    axis = await page.evaluate(AXIS, [(second + number * HOUR).timestamp() for number in (-2, -1, 0, 1)])
    assert [text.replace("\u202f", " ").split("\n")[0] for text in axis] == ["12 AM", "1 AM EDT", "1 AM EST", "2 AM"]
    # The fields name the hour only once. The form still asks for the hour that it showed.
    await open_dashboard(page, seeded, f"?from={text_of(second)}&to={text_of(second + HOUR)}")
    await page.locator("#custom").get_by_role("button", name="Show").click()
    await shown(page)
    assert await page.evaluate(SHOWN) == [second.timestamp() * 1_000, (second + HOUR).timestamp() * 1_000]
    await context.close()


AXIS = "async (times) => (await import('/assets/overview/time_axis.js')).timeTexts(null, times, 0, 0, 3600)"
SHOWN = "async () => { const { read } = await import('/assets/core/state.js'); return [read().since, read().until]; }"


async def test_a_comparison_begins_with_the_first_event_and_says_so(seeded: Site, page: Page) -> None:
    since = hour_start(moments(seeded)[0]) + 3 * HOUR
    await open_dashboard(page, seeded, f"?from={text_of(since)}&to={text_of(since + 20 * HOUR)}&compare=previous")
    before = await dashboard.column(page, 3)
    answer = seeded.get("/api/analytics/trends", compare="previous", **between(since, since + 20 * HOUR))
    assert before == [dashboard.number("events", bucket["value"]) for bucket in answer["compare"]]
    assert before[:17] == ["\N{EN DASH}"] * 17
    assert "\N{EN DASH}" not in before[17:]
    await expect(page.locator("#legend")).to_contain_text("(partly before the first event)")
    await expect(page.locator("#card-events .card-change")).to_have_text("earlier data partial")
    await expect(page.locator("#cards-note")).to_contain_text("The first event came on")
    await page.get_by_label("Compare with").select_option("year")
    await shown(page)
    await expect(page.locator("#legend")).not_to_contain_text("comparison")
    await expect(page.locator("#card-events .card-change")).to_have_text("no earlier data")


async def test_quarters_take_the_place_of_minutes_that_are_gone(seeded: Site, page: Page) -> None:
    since = quarter_start(now()) - 40 * DAY
    await page.goto(f"{seeded.running.url}/?from={text_of(since)}&to={text_of(since + HOUR)}")
    rows = page.locator("#chart-table tbody tr")
    await expect(rows).to_have_count(4)
    await expect(page.locator("#chart .fault")).to_be_hidden()
    await page.locator("#card-new_users").click()
    await expect(page.locator("#chart-table caption")).to_have_text("New users by quarter hour")
    await expect(rows).to_have_count(4)


async def test_what_has_not_begun_is_not_drawn_as_zero(seeded: Site, page: Page) -> None:
    since = hour_start(now())
    await open_dashboard(page, seeded, f"?from={text_of(since - 2 * HOUR)}&to={text_of(since + 20 * HOUR)}")
    states = await dashboard.column(page, 4)
    assert states[:2] == ["complete", "complete"]
    assert states[-18:] == ["not begun yet"] * 18
    assert (await dashboard.column(page, 2))[-18:] == ["\N{EN DASH}"] * 18
    drawn = await page.evaluate(DRAWN, seeded.get("/api/analytics/trends", **between(since, since + 20 * HOUR)))
    assert [value is None for value in drawn[-18:]] == [True] * 18


DRAWN = """async (answer) => {
  const { linesOf } = await import("/assets/overview/chart_series.js");
  return linesOf(answer)[1].values;
}"""


async def test_the_last_hours_are_the_servers(seeded: Site, page: Page) -> None:
    """The clock of this browser is 3 hours behind; it learns the time from the answers."""
    await page.clock.install(time=now() - 3 * HOUR)
    await open_dashboard(page, seeded, "?range=1h")
    await page.get_by_role("button", name="6 h").click()
    await shown(page)
    await check_cards(page, seeded, **asked_for(6))
