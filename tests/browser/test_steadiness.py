"""Nothing moves under the pointer: neither the plot that it reads, nor the rows that it aims at."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, ViewportSize, expect

from tests.browser.support.dashboard import open_dashboard, shown
from tests.http.support.site import Site, an_event, unique

SIZES: list[ViewportSize] = [{"width": 1440, "height": 900}, {"width": 360, "height": 740}]
FIRST = "#events tbody tr:first-child td:nth-child(2)"


@pytest.mark.parametrize("size", SIZES, ids=lambda size: str(size["width"]))
@pytest.mark.parametrize("query", ["?compare=week", "?by=action"])
async def test_the_plot_keeps_its_place_while_it_is_read(
    seeded: Site, page: Page, size: ViewportSize, query: str
) -> None:
    await page.set_viewport_size(size)
    await open_dashboard(page, seeded, query)
    await page.locator("#plot").scroll_into_view_if_needed()
    before = await page.locator("#plot").bounding_box()
    assert before is not None
    said = set()
    for part in range(1, 10):
        await page.mouse.move(before["x"] + 52 + (before["width"] - 80) * part / 10, before["y"] + before["height"] / 2)
        assert await page.locator("#plot").bounding_box() == before
        said.add(await page.locator("#readout").inner_text())
    assert len(said) == 9, "each place was read out"
    # All of it can be read.
    assert await page.locator("#readout").evaluate("node => node.scrollHeight <= node.clientHeight + 1")


async def test_rows_keep_their_texts_while_the_pointer_or_the_focus_is_on_them(site: Site, page: Page) -> None:
    first, second, third = (unique(name) for name in ("first", "second", "third"))
    site.send(an_event(event_type=first, session_id=first))
    await open_dashboard(page, site, "?range=1h")
    await expect(page.locator(FIRST)).to_have_text(first)
    await page.locator(FIRST).hover()
    site.send(an_event(event_type=second, session_id=second))
    await expect(page.locator("#events-held")).to_have_text("Newer events wait until you leave the rows.")
    await expect(page.locator(FIRST)).to_have_text(first)
    await page.locator("#recent-title").hover()
    await expect(page.locator(FIRST)).to_have_text(second)
    await expect(page.locator("#events-held")).to_be_empty()
    await page.locator("#events button[data-of=session]").first.focus()
    site.send(an_event(event_type=third, session_id=third))
    await expect(page.locator("#events-held")).not_to_be_empty()
    await expect(page.locator(FIRST)).to_have_text(second)
    # Another question is answered at once, wherever the pointer is.
    await page.locator(FIRST).hover()
    await page.evaluate("history.pushState(null, '', '?range=6h'); dispatchEvent(new PopStateEvent('popstate'))")
    await shown(page)
    await expect(page.locator(FIRST)).to_have_text(third)
