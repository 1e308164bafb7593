"""All numbers and times of the page are written as the browser's language writes them, the chart's axes included."""

from __future__ import annotations

import re

from playwright.async_api import Browser, expect

from tests.browser.support.dashboard import open_dashboard
from tests.http.support.site import Site

WATCH_TEXTS = """
globalThis.drawn = new Set();
const { fillText } = CanvasRenderingContext2D.prototype;
CanvasRenderingContext2D.prototype.fillText = function (text, ...rest) {
  globalThis.drawn.add(text);
  return fillText.call(this, text, ...rest);
};
"""
GERMAN = re.compile(r"[\d.,]+|\d{1,2}:\d\d|\d{1,2}\. [A-Z][a-zä]+\.?|")
AMERICAN = re.compile(r"\b[AP]M\b|\d,\d{3}|\d/\d|\b(?:Dec|Oct|May|Mar) ", re.ASCII)


async def test_a_german_page_has_no_american_axis(seeded: Site, browser: Browser) -> None:
    context = await browser.new_context(locale="de-DE", timezone_id="Europe/Berlin")
    await context.add_init_script(WATCH_TEXTS)
    page = await context.new_page()
    for query in ("?range=1h", "?range=24h", "?range=30d"):
        await open_dashboard(page, seeded, query)
        drawn = await page.evaluate("[...globalThis.drawn]")
        assert drawn
        assert [text for text in drawn if not GERMAN.fullmatch(text)] == []
    events = seeded.get("/api/analytics/summary", hours=720)["totals"]["events"]
    await expect(page.locator("#card-events .card-value")).to_have_text(f"{events:,}".replace(",", "."))
    assert (await page.locator("#strip .strip-axis span").first.inner_text()) == "00 Uhr"
    assert not AMERICAN.search(await page.locator("body").inner_text())
    await context.close()
