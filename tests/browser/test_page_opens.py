"""The page at `/` in a real browser."""

from __future__ import annotations

from playwright.async_api import ConsoleMessage, Page, expect

from tests.http.support.site import Site


async def test_the_page_opens_without_errors(site: Site, page: Page) -> None:
    said: list[ConsoleMessage] = []
    page.on("console", lambda message: said.append(message))  # noqa: PLW0108  # a built-in takes no attributes
    await page.goto(site.running.url)
    await expect(page.get_by_role("heading", name="hourledger")).to_be_visible()
    assert [message.text for message in said if message.type in ("error", "warning")] == []
