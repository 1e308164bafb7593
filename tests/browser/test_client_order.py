"""The browser client keeps the order of calls, whatever the visitor's clock and the answers say."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import pytest
from playwright.async_api import BrowserContext, Page, Route

from tests.browser.support.client import Visitor
from tests.browser.support.client_faults import WRONG_CLOCK
from tests.http.support.site import Site, now
from tests.support.waiting import until

CARTS = 60
KEYS = "Object.keys(localStorage).filter((key) => key.startsWith('hourledger_outbox:')).sort()"


def told(event: dict[str, str]) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


async def test_events_of_one_millisecond_keep_their_order(context: BrowserContext, site: Site) -> None:
    """Each session has two events in one millisecond, and the funnel of the two loses no session."""
    visitor = Visitor(context, site)
    page = await visitor.visit()
    # The outbox is read before the client can send anything.
    ids, keys = await page.evaluate(
        """([kind, carts]) => [Array.from({ length: carts }, () => {
            hourledger.reset();
            return [hourledger.track(kind, { action: "cart" }), hourledger.track(kind, { action: "checkout" })];
        }).flat(), KEYS]""".replace("KEYS", KEYS),
        [visitor.kind, CARTS],
    )
    assert [key.split(":")[1] for key in keys] == ids
    await visitor.all_stored(page, ids)
    times = {event["event_id"]: told(event) for event in visitor.stored()}
    assert all(times[later] > times[sooner] for sooner, later in pairwise(ids))
    steps = [{"event_type": visitor.kind, "action": action} for action in ("cart", "checkout")]
    for order in ("loose", "strict"):
        answer = site.client.post("/api/analytics/funnels", json={"hours": 2, "order": order, "steps": steps}).json()
        assert [step["reached"] for step in answer["steps"]] == [CARTS, CARTS]


@pytest.mark.parametrize("off", [timedelta(days=3), -timedelta(hours=2), timedelta()])
async def test_a_correction_does_not_move_with_each_answer(context: BrowserContext, site: Site, off: timedelta) -> None:
    """The `Date` of answers is exact to the second, so each answer tells another time."""
    swings = [timedelta(seconds=0.9 * (-1) ** number) for number in range(8)]

    async def swing(route: Route) -> None:
        answer = await route.fetch()
        date = format_datetime(now() + swings.pop(), usegmt=True)
        await route.fulfill(response=answer, headers={**answer.headers, "date": date})

    await context.add_init_script(WRONG_CLOCK % (off / timedelta(milliseconds=1)))
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await context.route("**/e/batch", swing)
    for number in range(6):
        await visitor.track(page, action=str(number))
        await visitor.flush(page)
    await visitor.track(page, action="6")
    await page.wait_for_function("hourledger.stats().sent === 7")
    events = sorted(visitor.stored(), key=told)
    assert [event["action"] for event in events] == list("0123456")
    assert all(abs(told(event) - now()) < timedelta(minutes=1) for event in events)


async def visit_bundle(visitor: Visitor) -> Page:
    """Open a page with the module as webpack and Next.js build it, where it does not know its address."""
    source = visitor.site.client.get("/analytics.mjs").text.replace("import.meta.url", '"file:///app/analytics.mjs"')
    page = await visitor.context.new_page()
    await visitor.serve(page, "<!doctype html><title>shop</title>")
    await page.evaluate(
        """async ([source, endpoint]) => {
            const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
            globalThis.hourledger = (await import(address)).default;
            hourledger.init({ endpoint });
        }""",
        [source, f"{visitor.site.running.url}/e"],
    )
    return page


@pytest.mark.parametrize("off", [timedelta(days=3), -timedelta(hours=2)])
async def test_a_bundled_client_learns_the_time(context: BrowserContext, site: Site, off: timedelta) -> None:
    await context.add_init_script(WRONG_CLOCK % (off / timedelta(milliseconds=1)))
    visitor = Visitor(context, site)
    page = await visit_bundle(visitor)
    for action in ("first", "second"):
        await visitor.track(page, 2, action=action)
        await visitor.flush(page)
    await page.wait_for_function("hourledger.stats().sent === 4")
    events = sorted(visitor.stored(), key=told)
    assert [event["action"] for event in events] == ["first", "first", "second", "second"]
    assert all(abs(told(event) - now()) < timedelta(minutes=1) for event in events)


async def test_a_new_tab_begins_with_what_an_earlier_one_learned(context: BrowserContext, site: Site) -> None:
    """It is closed before an answer tells it the time, so its event is a beacon."""
    await context.add_init_script(WRONG_CLOCK % (timedelta(days=3) / timedelta(milliseconds=1)))
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await visitor.track(page)
    await page.wait_for_function("hourledger.stats().sent === 1")
    later = await visitor.visit()
    await visitor.track(later)
    await visitor.leave(later)
    await until(visitor.stored, "the beacon arrives", holds=lambda stored: len(stored) == 2)
    assert all(abs(told(event) - now()) < timedelta(minutes=1) for event in visitor.stored())


async def test_a_visitor_who_sets_the_clock_right_is_believed(context: BrowserContext, site: Site) -> None:
    """The correction that an earlier tab learned is wrong now; the events of before the first answer are corrected."""
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await page.evaluate("localStorage.setItem('hourledger_clock', '-7200000')")
    later = await visitor.visit()
    await visitor.track(later, 2)
    await later.wait_for_function("hourledger.stats().sent === 2")
    await visitor.track(later)
    await later.wait_for_function("hourledger.stats().sent === 3")
    assert all(abs(told(event) - now()) < timedelta(minutes=1) for event in visitor.stored())
