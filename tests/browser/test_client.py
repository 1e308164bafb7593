"""The browser client in a real browser, with a running service."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Route

from service.web.assets import CLIENT, VENDOR
from tests.browser.support.client import Visitor, history, waiting
from tests.browser.support.client_cost import compressed, microseconds_per_call
from tests.browser.support.client_faults import SCENARIOS, Scenario
from tests.browser.support.client_scene import Scene
from tests.conftest import Servers
from tests.http.support.site import Site, now

# By brotli, with all that `data-auto` records.
MOST_BYTES = 4_608
NAMES = ("/analytics.js", "/h.js", "/analytics.mjs", "/analytics.d.mts")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_every_event_is_stored_once_or_counted(
    browser: Browser, site: Site, servers: Servers, folder: Path, scenario: Scenario
) -> None:
    await scenario(Scene(browser, site, servers, folder))


def test_it_is_small() -> None:
    assert {name: size for name, (size, _) in compressed().items() if size > MOST_BYTES} == {}


async def test_a_call_costs_little(browser: Browser, site: Site) -> None:
    """The goal is 200 µs on an idle machine."""
    assert await microseconds_per_call(browser, site) < 2_000


@pytest.mark.parametrize("name", NAMES)
def test_it_is_served_to_any_page(site: Site, name: str) -> None:
    answer = site.client.get(name)
    file = CLIENT / "analytics.d.mts" if name.endswith(".mts") else VENDOR / name.replace("/h.", "/analytics.")[1:]
    assert answer.content == file.read_bytes()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = site.client.get(name, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (httpx.codes.NOT_MODIFIED, b"")


async def test_the_named_calls_and_who_the_user_is(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await page.evaluate(
        """kind => {
            hourledger.identify("user_7");
            hourledger.trackToolUsage("Map", "opened", { kind });
            hourledger.trackRiskModeChange("high", "low");
            hourledger.trackFeatureInteraction("search", "typed", { kind });
            hourledger.track(kind, { demo_mode: true, user_id: "user_8", properties: { big: 10n } });
            hourledger.reset();
            hourledger.track(kind);
        }""",
        visitor.kind,
    )
    tool, risk, feature, own, anonymous = await history(page)
    assert (tool["event_type"], tool["tool_name"], tool["action"]) == ("tool_used", "Map", "opened")
    assert (risk["event_type"], risk["properties"]) == (
        "risk_mode_changed",
        {"risk_mode": "high", "previous_mode": "low"},
    )
    assert feature["properties"] == {"kind": visitor.kind, "feature": "search"}
    assert [event.get("user_id") for event in (tool, risk, own, anonymous)] == ["user_7", "user_7", "user_8", None]
    assert [event["demo_mode"] for event in (tool, own, anonymous)] == [False, True, False]
    assert own["properties"] == {"big": "10"}
    assert tool["session_id"] == own["session_id"] != anonymous["session_id"]
    assert tool["session_id"].startswith("session_1")
    await visitor.all_stored(page, [own["event_id"], anonymous["event_id"]])


async def test_the_types_declare_what_the_module_exports(context: BrowserContext, site: Site) -> None:
    page = await context.new_page()
    await Visitor(context, site).serve(page, "<!doctype html><title>test</title>")
    exported = await page.evaluate("import('/analytics.mjs').then(Object.keys)")
    declared = re.findall(r"^export declare function (\w+)", site.client.get("/analytics.d.mts").text, re.MULTILINE)
    assert sorted(exported) == sorted([*declared, "default"])


async def test_the_module(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    script = """<script type="module">
        import client, { track, stats } from "/analytics.mjs";
        globalThis.hourledger = client;
        globalThis.same = client.track === track && client.stats === stats;
    </script>"""
    page = await context.new_page()
    await visitor.serve(page, script)
    assert await page.evaluate("same")
    await visitor.all_stored(page, await visitor.track(page, 3))


async def test_what_a_former_visit_left_waits_until_the_module_is_told_where_to_send_it(
    context: BrowserContext, site: Site
) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await context.route("**/batch", lambda route: route.abort())
    ids = await visitor.track(page, 2)
    await visitor.flush(page)
    await context.unroute("**/batch")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await visitor.serve(
        page, '<script type="module">globalThis.client = (await import("/analytics.mjs")).default</script>'
    )
    await page.wait_for_function("globalThis.client")
    await page.evaluate("new Promise((resolve) => requestIdleCallback(resolve))")
    assert not [url for url in asked if "batch" in url]
    await page.evaluate("endpoint => client.init({ endpoint })", f"{site.running.url}/api/analytics/track")
    await page.wait_for_function("client.stats().queued === 0")
    await visitor.has(ids)
    assert f"{site.running.url}/api/analytics/track/batch" in asked


@pytest.mark.parametrize("headers", [{}, {"retry-after": "-5"}, {"retry-after": "0.001"}])
async def test_odd_answers_make_it_wait_not_hurry(context: BrowserContext, site: Site, headers: dict[str, str]) -> None:
    asked: list[str] = []

    async def answer(route: Route) -> None:
        asked.append(route.request.url)
        await route.fulfill(status=503 if headers else 200, body='{"ok": true}', headers=headers)

    visitor = Visitor(context, site)
    page = await context.new_page()
    await page.clock.install(time=now())
    await visitor.visit(page)
    await context.route("**/e/batch", answer)
    await visitor.track(page, 2)
    for _ in range(20):
        await page.clock.run_for(500)
        await page.evaluate("fetch('/h.js').then(() => 1)")  # after this answer the earlier requests are recorded
    assert 1 <= len(asked) <= 6
    assert await waiting(page) == 2
