"""Open and read the dashboard."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Literal

from playwright.async_api import ConsoleMessage, Page, expect

from tests.browser.support.funnels import percent
from tests.http.support.site import Json, Site

AXE = Path(__file__).parents[3] / "node_modules" / "axe-core" / "axe.min.js"
PEOPLE = ("visitors", "users", "new_users")
Scheme = Literal["light", "dark"]
SCHEMES: list[Scheme] = ["light", "dark"]
METRICS = ("events", "sessions", *PEOPLE, "tool_uses", "event_types", "events_per_session")
# Sums unexpected layout shifts. The page's policy forbids a test's script tag, so the browser injects this script.
WATCH_SHIFTS = """
globalThis.moved = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) globalThis.moved += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
TRANSITIONS_ENDED = "() => Promise.allSettled(document.getAnimations().map((each) => each.finished))"
# Tells also whether a part faded meanwhile, because the page reads it anew: faded text has less contrast.
RUN_AXE = """async () => {
  const isFaded = () => document.querySelector(".stale") !== null;
  let faded = isFaded();
  const watch = new MutationObserver(() => { faded ||= isFaded(); });
  watch.observe(document, { subtree: true, attributeFilter: ["class"] });
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  watch.disconnect();
  return { violations, faded };
}"""
# Each look takes about a second. On a busy machine a part is read for several.
MOST_LOOKS = 20


async def open_dashboard(page: Page, site: Site, query: str = "") -> None:
    """Open the dashboard, and wait until it shows all its parts."""
    await page.goto(f"{site.running.url}/{query}")
    await shown(page)


async def shown(page: Page) -> None:
    """Wait until no part still shows another range."""
    await expect(page.locator("html[data-shown]")).to_be_attached()
    await expect(page.locator(".stale")).to_have_count(0)


async def in_both_schemes(page: Page, folder: Path, name: str) -> None:
    """Take screenshots of the present page, in light and in dark."""
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme=scheme)
        await page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)


async def card(page: Page, metric: str) -> str:
    """Return the number on a card."""
    return await page.locator(f"#card-{metric} .card-value").inner_text()


def number(metric: str, value: float | None) -> str:
    """Return a number in the format of a card."""
    if value is None:
        return "\N{EN DASH}"
    if metric != "events_per_session":
        return f"{value:,}"
    # Browsers round the shortest text of a number: 1.525 becomes 1.53, although its binary value is a little less.
    return f"{Decimal(repr(value)).quantize(Decimal('0.01'), ROUND_HALF_UP):,}"


def change(value: float | None, before: float | None) -> str:
    """Return what a card says about a total and the one of the period before, seen and heard."""
    if value is None or before is None:
        return "no earlier data"
    if before == 0 != value:
        return "none before"
    if value == before:
        seen = heard = "unchanged"
    else:
        by = value / before - 1
        share = "<0.1%" if abs(by) < 0.001 else percent(abs(by))
        seen, heard = f"{'▲' if by > 0 else '▼'} {share}", f"{'up' if by > 0 else 'down'} {share}"
    return f"{seen}{heard} against the period before"


async def check_cards(page: Page, site: Site, **query: object) -> None:
    """Check that the cards show the summary of the same range."""
    totals = site.get("/api/analytics/summary", **query)["totals"]
    for metric in METRICS:
        await expect(page.locator(f"#card-{metric} .card-value")).to_have_text(number(metric, totals[metric]))


async def bars(page: Page, panel: str) -> list[tuple[str, str]]:
    """Return the key and number of each row of a panel."""
    rows = page.locator(f"#{panel} .bar")
    return [
        (await row.locator(".bar-key").inner_text(), await row.locator(".bar-number").inner_text())
        for row in await rows.all()
    ]


def as_bars(rows: list[Json]) -> list[tuple[str, str]]:
    return [(row["key"], f"{row['events']:,}") for row in rows]


async def column(page: Page, place: int) -> list[str]:
    """Return a column of the chart's table."""
    return await page.locator(f"#chart-table tbody tr > :nth-child({place})").all_text_contents()


@contextmanager
def without_complaints(page: Page) -> Iterator[None]:
    """Fail when the browser reports an error, a broken script, or a violation of the policy."""
    said: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            said.append(message.text)

    page.on("console", heard)
    page.on("pageerror", lambda error: said.append(str(error)))
    yield
    assert said == [], said


async def _look(page: Page) -> tuple[list[tuple[str, list[str]]], bool]:
    """Return the serious problems that axe finds, and whether a part was faded meanwhile."""
    found = await page.evaluate(RUN_AXE)
    serious = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"]][:3])
        for violation in found["violations"]
        if violation["impact"] in ("serious", "critical")
    ]
    return serious, found["faded"]


async def check_accessible(page: Page) -> None:
    """Check that axe finds no serious problem, while no transition runs and no part is faded: such colours pass."""
    await page.emulate_media(reduced_motion="reduce")
    await page.evaluate(TRANSITIONS_ENDED)
    await page.evaluate(AXE.read_text())
    serious, faded = await _look(page)
    for _ in range(MOST_LOOKS):
        if not (serious and faded):
            break
        serious, faded = await _look(page)
    assert serious == [], serious


def address(query: str) -> Callable[[str], bool]:
    """Return a function that tells whether an address matches this pattern."""
    return lambda url: re.search(query, url) is not None
