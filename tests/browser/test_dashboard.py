"""The dashboard in a real browser: its numbers are the API's, each control does what it says, and nothing breaks it."""

from __future__ import annotations

import gzip
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.dashboard import CARDS, HOSTILE, Dashboard, fill, hostile_events
from tests.conftest import Servers, running_service
from tests.http.site import Site, new_database, new_site, now, text_of

DAYS = 5
AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
READ_TOKEN = "dashboard-read-token"  # noqa: S105
MOST_BYTES = 120 * 1024
SIZES = {"desktop": (1440, 900), "phone": (360, 740)}


@pytest_asyncio.fixture(scope="session")
async def filled(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with some days of the demo's events; its tests only read, or send what they filter by."""
    async with new_site(servers, folder) as site:
        fill(site, 4_000, now(), DAYS)
        yield site
        site.check_log()


@pytest_asyncio.fixture
async def dashboard(filled: Site, browser: Browser) -> AsyncIterator[Dashboard]:
    async with opened(browser, filled.running.url) as dashboard:
        yield dashboard
        assert dashboard.complaints == []


class opened:  # noqa: N801  # used like a function
    """A dashboard in a profile of its own."""

    def __init__(self, browser: Browser, url: str, **options: Any) -> None:
        self._browser = browser
        self._url = url
        self._options = {"locale": "en-US", "timezone_id": "Asia/Kathmandu"} | options

    async def __aenter__(self) -> Dashboard:
        self._context = await self._browser.new_context(**self._options)
        dashboard = Dashboard(await self._context.new_page(), self._url)
        dashboard.listen()
        return dashboard

    async def __aexit__(self, *_: object) -> None:
        await self._context.close()


def said(value: float | None) -> str:
    """Return a number as the page writes it."""
    if value is None:
        return "\N{EN DASH}"
    return f"{value:,}" if float(value).is_integer() else f"{value:,.1f}"


def question(dashboard: Dashboard) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(dashboard.page.url).query).items()}


async def test_cards_chart_bars_and_table_say_what_the_api_says(filled: Site, dashboard: Dashboard) -> None:
    await dashboard.open("?range=7d")
    summary = filled.get("/api/analytics/summary", hours=168, compare="previous")
    rollups = filled.get("/api/analytics/rollups", hours=168)
    assert summary["totals"]["events"] == rollups["total_events"] == 4_000
    assert summary["totals"]["sessions"] == rollups["distinct_sessions"]
    assert {metric: await dashboard.card(metric) for metric in CARDS} == {
        metric: said(summary["totals"][metric]) for metric in CARDS
    }
    for panel, kind in (("tools", "tool_usage"), ("risks", "risk_distribution"), ("types", "event_types")):
        assert await dashboard.bars(panel) == {row["key"]: said(row["events"]) for row in summary[kind][:8]}
    actions = filled.get("/api/analytics/top", by="action", limit=8, hours=168)
    assert await dashboard.bars("actions") == {row["key"]: said(row["events"]) for row in actions["rows"]}
    by_hour = {rollup["hour"]: rollup["total_events"] for rollup in rollups["rollups"]}
    trend = filled.get("/api/analytics/trends", metric="events", interval="hour", hours=168)
    assert [bucket["value"] for bucket in trend["buckets"]] == [
        by_hour.get(bucket["start"], 0) for bucket in trend["buckets"]
    ]
    assert await dashboard.chart() == [said(bucket["value"]) for bucket in trend["buckets"]]
    rows = await dashboard.page.locator("#latest tbody tr td:nth-child(5)").all_text_contents()
    assert rows == [event["session_id"] for event in filled.listed(hours=168, limit=20, total=0)]
    proofs = filled.get("/api/analytics/proofs", hours=168)["proofs"]
    assert await dashboard.page.locator("#strip button").count() == len(proofs)


async def test_a_card_becomes_the_chart(filled: Site, dashboard: Dashboard) -> None:
    await dashboard.open("?range=24h")
    await dashboard.page.locator('[data-metric="sessions"]').click()
    await dashboard.settled()
    await expect(dashboard.page.locator('[data-metric="sessions"]')).to_have_attribute("aria-pressed", "true")
    await expect(dashboard.page.locator("#chart-title")).to_have_text("Sessions")
    trend = filled.get("/api/analytics/trends", metric="sessions", interval="hour", hours=24)
    assert await dashboard.chart() == [said(bucket["value"]) for bucket in trend["buckets"]]
    assert question(dashboard)["metric"] == "sessions"
    last = await dashboard.page.locator("#chart-table tbody tr:last-child th").inner_text()
    assert last.endswith(", unfinished")
    await expect(dashboard.page.locator("#chart .u-legend")).to_contain_text("unfinished")
    await dashboard.page.go_back()
    await expect(dashboard.page.locator("#chart-title")).to_have_text("Events")


@pytest.mark.parametrize(("range_", "hours", "interval"), [("1h", 1, "hour"), ("6h", 6, "hour"), ("30d", 720, "day")])
async def test_ranges(filled: Site, dashboard: Dashboard, range_: str, hours: int, interval: str) -> None:
    await dashboard.open()
    await dashboard.page.locator(f'[data-range="{range_}"]').click()
    await dashboard.settled()
    assert question(dashboard)["range"] == range_
    query = {"metric": "events", "interval": interval, "hours": hours, "tz": "Asia/Kathmandu"}
    trend = filled.get("/api/analytics/trends", **query)
    assert await dashboard.chart() == [said(bucket["value"]) for bucket in trend["buckets"]]
    # Chromium calls it by its former name.
    await expect(dashboard.page.locator("#zone")).to_have_text(re.compile(r"Times in Asia/Kath?mandu"))


async def test_a_range_of_ones_own_and_comparisons(filled: Site, dashboard: Dashboard) -> None:
    await dashboard.open()
    page = dashboard.page
    await page.locator('[data-range="custom"]').click()
    end = now().replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=30)
    for name, moment in (("from", start), ("to", end)):
        # Kathmandu is 5:45 ahead; whole hours are UTC's, and the field's time is cut to one.
        local = moment + timedelta(hours=5, minutes=45)
        await page.locator(f"#{name}").fill(f"{local:%Y-%m-%dT%H:%M}")
    await page.get_by_role("button", name="Show", exact=True).click()
    await dashboard.settled()
    summary = filled.get("/api/analytics/summary", **{"from": text_of(start), "to": text_of(end)})
    assert await dashboard.card("events") == said(summary["totals"]["events"])
    for compare in ("week", "none", "previous"):
        await page.locator("#compare").select_option(compare)
        await dashboard.settled()
        assert question(dashboard)["compare"] == compare
        columns = await page.locator("#chart-table thead th").count()
        assert columns == (2 if compare == "none" else 3)
    change = await page.locator('[data-metric="events"] .change .unseen').inner_text()
    assert change.split()[0] in ("up", "down")
    assert change.endswith("in the period before")


async def test_rows_filter_and_chips_take_it_back(filled: Site, dashboard: Dashboard) -> None:
    await dashboard.open("?range=7d")
    page = dashboard.page
    for panel, name in (("tools", "tool_name"), ("types", "event_type")):
        row = page.locator(f"#{panel} button.bar").first
        value = await row.get_attribute("title")
        await row.click()
        await dashboard.settled()
        assert question(dashboard)[name] == value
    filters = {name: question(dashboard)[name] for name in ("event_type", "tool_name")}
    summary = filled.get("/api/analytics/summary", hours=168, **filters)
    assert await dashboard.card("events") == said(summary["totals"]["events"])
    trend = filled.get("/api/analytics/trends", metric="events", interval="hour", hours=168, **filters)
    assert await dashboard.chart() == [said(bucket["value"]) for bucket in trend["buckets"]]
    assert set(await page.locator("#latest tbody tr td:nth-child(3)").all_text_contents()) == {filters["tool_name"]}
    await page.get_by_role("button", name="Remove the filter Event type").click()
    await page.get_by_role("button", name="Remove the filter Tool").click()
    await dashboard.settled()
    await expect(page.locator("#chips li")).to_have_count(0)
    await expect(page.locator('[data-metric="events"] .value')).to_have_text("4,000")
    await page.locator("#demo").select_option("false")
    await dashboard.settled()
    without = filled.get("/api/analytics/summary", hours=168, demo_mode="false")
    assert await dashboard.card("events") == said(without["totals"]["events"])


async def test_the_proof_strip_tells_each_hour_and_is_walked_by_keys(filled: Site, dashboard: Dashboard) -> None:
    await dashboard.open("?range=7d")
    page = dashboard.page
    cells = page.locator("#strip button")
    assert await page.locator('#strip button[tabindex="0"]').count() == 1
    await page.locator('#strip button[tabindex="0"]').focus()
    await page.keyboard.press("Home")
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    proof = filled.get("/api/analytics/proofs", hours=168)["proofs"][-4]
    focused = page.locator("#strip button:focus")
    assert proof["state"] in str(await focused.get_attribute("aria-label"))
    assert await cells.nth(3).evaluate("cell => cell === document.activeElement")
    detail = await page.locator("#proof-detail").inner_text()
    assert proof["digest"] in detail
    assert f"{proof['events']:,} events" in detail
    standing = await page.locator("#standing").inner_text()
    assert "complete to position" in standing


async def test_what_arrives_is_shown_by_itself(filled: Site, dashboard: Dashboard) -> None:
    await dashboard.open("?range=1h&event_type=arrived_live")
    await expect(dashboard.page.locator("#standing")).to_have_attribute("data-way", "live")
    filled.send({"event_type": "arrived_live", "session_id": "s-live", "timestamp": text_of(now()), "demo_mode": False})
    await expect(dashboard.page.locator("#latest tbody tr.new")).to_have_count(1, timeout=15_000)
    await expect(dashboard.page.locator('[data-metric="events"] .value')).to_have_text("1")


async def test_hostile_values_are_words(servers: Servers, folder: Path, browser: Browser, artifacts: Path) -> None:
    async with new_site(servers, folder) as site, opened(browser, site.running.url) as dashboard:
        site.send(*hostile_events(text_of(now())))
        await dashboard.open("?range=1h")
        assert set(await dashboard.bars("tools")) == set(HOSTILE)
        assert set(await dashboard.bars("risks")) == set(HOSTILE)
        assert len(await dashboard.bars("actions")) == len(HOSTILE)
        assert await dashboard.page.title() == "hourledger"
        assert await dashboard.page.locator("main img, main script").count() == 0
        await dashboard.page.screenshot(path=artifacts / "hostile.png", full_page=True)
        for word in HOSTILE:
            row = dashboard.page.locator("#tools button.bar", has=dashboard.page.get_by_text(word, exact=True))
            await row.click()
            await dashboard.settled()
            assert question(dashboard)["tool_name"] == word
            assert await dashboard.card("events") == "1"
            await row.click()
            await dashboard.settled()
        width = await dashboard.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert width <= 0
        assert dashboard.complaints == []


async def test_a_token_is_asked_for_and_kept_out_of_the_address(
    servers: Servers, folder: Path, browser: Browser, artifacts: Path
) -> None:
    site_ = new_site(servers, folder, HOURLEDGER_READ_TOKEN=READ_TOKEN)
    async with site_ as site, opened(browser, site.running.url) as dashboard:
        page = dashboard.page
        await page.goto(site.running.url)
        await expect(page.locator("#token-form")).to_be_visible()
        await page.screenshot(path=artifacts / "token.png")
        await page.locator("#token").fill("wrong")
        await page.keyboard.press("Enter")
        await expect(page.locator("#token-said")).to_have_text("That token is not the right one.")
        await page.locator("#token").fill(READ_TOKEN)
        await page.keyboard.press("Enter")
        await expect(page.locator("#token-form")).to_be_hidden()
        await expect(page.locator("#standing")).to_have_attribute("data-way", "live", timeout=20_000)
        await expect(page.locator("#first-event")).to_be_visible()
        await page.screenshot(path=artifacts / "empty.png")
        await page.reload()
        await expect(page.locator("#numbers")).to_be_visible()
        await expect(page.locator("#token-form")).to_be_hidden()
        assert READ_TOKEN not in page.url
        site.client.headers["authorization"] = f"Bearer {READ_TOKEN}"
        assert READ_TOKEN not in site.log()


async def test_a_service_that_is_gone_is_told_and_comes_back(
    servers: Servers, tmp_path: Path, browser: Browser, artifacts: Path
) -> None:
    async with new_database(servers) as url:
        with running_service(tmp_path, url) as running:
            port = urlsplit(running.url).port
            async with opened(browser, running.url) as dashboard:
                await dashboard.open("?range=1h")
                running.process.terminate()
                running.process.wait(60)
                trouble = dashboard.page.locator("#trouble")
                # It notices by the end of its stream; a control asks at once.
                await dashboard.page.locator('[data-range="6h"]').click()
                await expect(trouble).to_contain_text("What you see is from", timeout=20_000)
                await dashboard.page.screenshot(path=artifacts / "gone.png")
                with running_service(tmp_path, url, port=port):
                    await expect(trouble).to_be_hidden(timeout=30_000)
                    await expect(dashboard.page.locator("#standing")).to_have_attribute(
                        "data-way", "live", timeout=30_000
                    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious_is_found_by_axe(filled: Site, browser: Browser, artifacts: Path, scheme: str) -> None:
    for name, (width, height) in SIZES.items():
        size = {"width": width, "height": height}
        async with opened(browser, filled.running.url, color_scheme=scheme, viewport=size) as dashboard:
            await dashboard.open("?range=7d&demo_mode=true")
            await dashboard.page.screenshot(path=artifacts / f"{name}.png", full_page=True)
            await dashboard.page.evaluate(AXE.read_text())
            found = await dashboard.page.evaluate("axe.run()")
            serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
            assert [
                (each["id"], each["nodes"][0]["html"], each["nodes"][0].get("failureSummary")) for each in serious
            ] == []
            assert await dashboard.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            assert dashboard.complaints == []


LAYOUT_SHIFTS = """
globalThis.shifted = 0;
new PerformanceObserver((list) => { for (const entry of list.getEntries()) shifted += entry.value; })
  .observe({ type: "layout-shift", buffered: true });
"""


async def test_it_opens_fast_draws_fast_and_does_not_jump(filled: Site, dashboard: Dashboard) -> None:
    page: Page = dashboard.page
    await page.add_init_script(LAYOUT_SHIFTS)
    await dashboard.open("?range=90d")
    assert await page.evaluate("shifted") < 0.05
    painted = await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    drawn = await page.evaluate("Math.min(...performance.getEntriesByName('chart').map(({ duration }) => duration))")
    # The goals are 300 and 100 ms on a machine that does nothing else.
    assert painted < 3_000
    assert drawn < 1_000


def test_the_whole_page_is_small(filled: Site) -> None:
    page = filled.client.get("/").text
    names = {part.split('"')[0] for part in page.split('"/assets/')[1:]}
    folder = Path(__file__).parents[2] / "service" / "web" / "dashboard"
    names |= {path.name for path in folder.glob("*.js")}
    files = [filled.client.get(f"/assets/{name}").content for name in sorted(names)]
    assert sum(len(gzip.compress(content, 9)) for content in [page.encode(), *files]) < MOST_BYTES
