"""A page whose origin the service does not allow: one line says what to do, and the client asks rarely."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Request, Route

from tests.browser.conftest import VISITOR
from tests.browser.support.client import Visitor, waiting
from tests.http.support.site import Site, now

SHOP = "http://shop.localhost"
MINUTE = 60_000


@dataclass
class Heard:
    """What a page wrote to the console, and the batches that it posted."""

    lines: list[str] = field(default_factory=list)
    batches: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        page.on("console", lambda message: self.lines.append(message.text))
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if "batch" in request.url:
            self.batches.append(request.post_data or "")

    def told(self) -> list[str]:
        return [line for line in self.lines if line.startswith("hourledger:")]


async def pass_minutes(page: Page, minutes: int) -> None:
    for _ in range(minutes):
        await page.clock.run_for(MINUTE)
        await page.evaluate("fetch(location.href).then(() => 1)")


@pytest.mark.parametrize("attributes", ["", 'data-write-key="key"'])
async def test_a_foreign_page_is_told_once_and_asks_rarely(
    context: BrowserContext, site: Site, attributes: str
) -> None:
    visitor = Visitor(context, site, attributes, SHOP)
    page = await context.new_page()
    heard = Heard()
    heard.listen(page)
    await page.clock.install(time=now())
    await visitor.visit(page)
    await visitor.track(page, 3)
    await pass_minutes(page, 61)
    (line,) = heard.told()
    assert "HOURLEDGER_CORS_ORIGINS" in line
    assert SHOP in line
    assert site.running.url in line
    assert 3 <= len(heard.batches) <= 26, "every 2.5 to 5 minutes"
    assert set(heard.batches) == {"[]"}, "no event is sent while no answer can be read"
    assert visitor.stored() == []
    assert await waiting(page) == 3
    assert (await visitor.stats(page))["dropped"] == 0

    # The service allows the origin.
    async def allow(route: Route) -> None:
        if route.request.method == "OPTIONS":
            headers = {"access-control-allow-headers": "content-type, x-write-key"}
            await route.fulfill(status=204, headers={"access-control-allow-origin": SHOP, **headers})
            return
        headers = {name: value for name, value in route.request.headers.items() if name != "origin"}
        answer = await route.fetch(headers=headers)
        more = {"access-control-allow-origin": SHOP, "access-control-expose-headers": "Date"}
        await route.fulfill(response=answer, headers={**answer.headers, **more})

    await context.route("**/e/batch", allow)
    while (await visitor.stats(page))["queued"]:
        await pass_minutes(page, 1)
    assert len(visitor.stored()) == 3, await visitor.stats(page)


async def test_leaving_a_page_that_is_refused_sends_nothing(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, "", SHOP)
    page = await context.new_page()
    heard = Heard()
    heard.listen(page)
    await visitor.visit(page)
    await visitor.track(page)
    await page.wait_for_function("hourledger.stats().reasons.refused_origin")
    await page.evaluate("() => { navigator.sendBeacon = () => console.log('a beacon') }")
    await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")
    assert [line for line in heard.lines if "beacon" in line] == []
    assert set(heard.batches) == {"[]"}


async def test_a_403_of_the_service_keeps_the_events(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await context.new_page()
    heard = Heard()
    heard.listen(page)
    await visitor.visit(page)
    refused = '{"ok": false, "error": {"code": "wrong_kind", "message": "the key is a read key"}}'
    await context.route("**/e/batch", lambda route: route.fulfill(status=403, body=refused))
    ids = await visitor.track(page, 2)
    await page.wait_for_function("hourledger.stats().reasons.refused_origin === 1")
    assert await waiting(page) == 2
    (line,) = heard.told()
    assert "the key is a read key" in line
    await context.unroute("**/e/batch")
    await page.evaluate("dispatchEvent(new Event('online'))")
    await visitor.all_stored(page, ids)


async def test_a_blocker_or_no_network_is_no_refusal(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, "", SHOP)
    page = await context.new_page()
    heard = Heard()
    heard.listen(page)
    await page.clock.install(time=now())
    await visitor.visit(page)
    await context.route("**/e/batch", lambda route: route.abort("blockedbyclient"))
    await visitor.track(page)
    await pass_minutes(page, 5)
    assert len(heard.batches) >= 3
    assert heard.told() == []


async def test_a_bot_drops_its_events_and_is_told_why_once(browser: Browser, site: Site) -> None:
    headless = VISITOR.replace("Chrome", "HeadlessChrome")
    context = await browser.new_context(user_agent=headless)
    visitor = Visitor(context, site)
    page = await context.new_page()
    heard = Heard()
    heard.listen(page)
    await visitor.visit(page)
    for number in range(1, 3):
        await visitor.track(page, 2)
        await page.wait_for_function(f"hourledger.stats().reasons.bot === {2 * number}")
        assert await waiting(page) == 0
    (line,) = heard.told()
    assert "HOURLEDGER_BOTS" in line
    assert visitor.stored() == []
    await context.close()
