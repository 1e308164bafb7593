"""Faults that the browser client survives. After each scenario every event is stored once, or counted as dropped.

Both the tests and the command that writes the table of docs/browser-client.md run these scenarios.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from playwright.async_api import Route

from tests.browser.support.client import Visitor, waiting
from tests.browser.support.client_page_faults import (
    killed_in_mid_flush,
    locks_denied,
    offline_and_reloaded,
    tab_closed,
    two_tabs,
    without_locks,
)
from tests.browser.support.client_scene import Scene
from tests.http.support.site import new_site, now

WRITE_KEY = "browser-write-key"
OTHER_ORIGIN = "http://shop.localhost"
BLOCKED = """
for (const name of ["localStorage", "sessionStorage"]) {
  Object.defineProperty(window, name, { get() { throw new DOMException("blocked", "SecurityError"); } });
}
"""
FULL = """
for (let size = 1 << 20; size > 0; size >>= 1) {
  try { for (let n = 0; ; n += 1) localStorage.setItem(`filler ${size} ${n}`, "x".repeat(size)); } catch {}
}
"""
WRONG_CLOCK = """
const right = Date.now;
Date.now = () => right() + (%d);
"""


async def wrong_clock(scene: Scene) -> None:
    """The visitor's clock is 3 days ahead, or 2 hours behind."""
    for off in (timedelta(days=3), -timedelta(hours=2)):
        async with scene.context(WRONG_CLOCK % (off / timedelta(milliseconds=1))) as context:
            visitor = Visitor(context, scene.site)
            page = await visitor.visit()
            await visitor.track(page)
            await page.wait_for_function("hourledger.stats().sent === 1")
            # The client knows the right time by now, so the next id has it from the start.
            await visitor.track(page)
            await page.wait_for_function("hourledger.stats().sent === 2")
            events = visitor.stored()
            assert len(events) == 2
            for event in events:
                told = datetime.fromisoformat(event["timestamp"])
                made = datetime.fromtimestamp(int(event["event_id"].split("_")[1]) / 1_000_000, UTC)
                assert abs(told - now()) < timedelta(minutes=1)
                assert abs(made - told) < timedelta(seconds=1)


async def storage_blocked(scene: Scene) -> None:
    """No storage at all (private mode): the client keeps events in the page's memory."""
    async with scene.context(BLOCKED) as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        ids = await visitor.track(page, 20)
        await visitor.all_stored(page, ids)


async def storage_full(scene: Scene) -> None:
    """The origin's storage is full."""
    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        await page.evaluate(FULL)
        ids = await visitor.track(page, 20)
        await visitor.all_stored(page, ids)


async def one_bad_event(scene: Scene) -> None:
    """One event of a batch is refused: it is dropped and reported, its neighbours are stored."""
    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        ids = await visitor.track(page, 3)
        await page.evaluate("hourledger.track('')")
        ids += await visitor.track(page, 3)
        await visitor.all_stored(page, ids)
        assert (await visitor.stats(page))["reasons"] == {"missing_field": 1}


async def told_to_wait(scene: Scene) -> None:
    """Twice 503 with Retry-After: 1, then a broken answer, then the service itself."""
    answers = [(503, '{"ok": false, "error": {"code": "unavailable", "message": "later"}}')] * 2 + [(200, "<html>")]
    moments: list[datetime] = []

    async def answer(route: Route) -> None:
        moments.append(now())
        if not answers:
            await route.continue_()
            return
        status, body = answers.pop(0)
        await route.fulfill(status=status, body=body, headers={"retry-after": "1"})

    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        await context.route("**/e/batch", answer)
        ids = await visitor.track(page, 5)
        await visitor.all_stored(page, ids)
        waits = [later - sooner for sooner, later in pairwise(moments)]
        # The browser starts its second a little before the test records the answer.
        assert min(waits[:2]) > timedelta(seconds=0.9), waits


async def too_large_at_once(scene: Scene) -> None:
    """A proxy on the way refuses batches of more than four events as too large (413)."""

    async def answer(route: Route) -> None:
        sent = (route.request.post_data or "").count('"event_id"')
        await (route.fulfill(status=413, body="too large") if sent > 4 else route.continue_())

    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        await context.route("**/e/batch", answer)
        ids = await visitor.track(page, 20)
        await visitor.all_stored(page, ids)


async def outbox_overflows(scene: Scene) -> None:
    """2,500 events while offline: the oldest are dropped and counted, the rest is stored."""
    async with scene.context() as context:
        visitor = Visitor(context, scene.site)
        page = await visitor.visit()
        await context.route("**/e/batch", lambda route: route.abort())
        ids = await visitor.track(page, 2_500)
        dropped = (await visitor.stats(page))["reasons"]["overflow"]
        assert 400 < dropped < 800
        assert await waiting(page) == 2_500 - dropped
        await context.unroute("**/e/batch")
        await page.evaluate("dispatchEvent(new Event('online'))")
        await page.wait_for_function("hourledger.stats().queued === 0", timeout=60_000)
        listed = {event["event_id"] for event in visitor.stored()}
        assert listed <= set(ids)
        # One page of the list has at most a thousand events.
        assert (
            scene.site.get("/api/analytics/track", event_type=visitor.kind, hours=1)["total_in_range"]
            == 2_500 - dropped
        )


async def another_origin_with_a_key(scene: Scene) -> None:
    """A page of another origin, with a write key, online and while it is closed."""
    service = new_site(
        scene.servers, scene.folder, HOURLEDGER_WRITE_KEY=WRITE_KEY, HOURLEDGER_CORS_ORIGINS=OTHER_ORIGIN
    )
    async with service as site, scene.context() as context:
        visitor = Visitor(context, site, f'data-write-key="{WRITE_KEY}"', OTHER_ORIGIN)
        page = await visitor.visit()
        ids = await visitor.track(page, 10)
        await visitor.all_stored(page, ids)
        ids += await visitor.track(page, 5)
        await visitor.leave(page)
        await visitor.has(ids)
        async with scene.context() as other:
            wrong = Visitor(other, site, 'data-write-key="wrong"', OTHER_ORIGIN)
            page = await wrong.visit()
            await wrong.track(page, 2)
            await page.wait_for_function("hourledger.stats().reasons.unauthorized === 2")
            assert wrong.stored() == []


Scenario = Callable[[Scene], Awaitable[None]]
SCENARIOS: tuple[Scenario, ...] = (
    offline_and_reloaded,
    killed_in_mid_flush,
    tab_closed,
    two_tabs,
    without_locks,
    locks_denied,
    wrong_clock,
    storage_blocked,
    storage_full,
    one_bad_event,
    told_to_wait,
    too_large_at_once,
    outbox_overflows,
    another_origin_with_a_key,
)
