"""The browser client in a real browser, with a running service."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, BrowserContext, Route

from service.web.assets import CLIENT, VENDOR
from tests.browser.support.client import PATH, Visitor, history, waiting
from tests.browser.support.client_cost import compressed, microseconds_per_call
from tests.browser.support.client_faults import SCENARIOS, Scenario, Scene
from tests.conftest import Servers
from tests.http.support.site import Site, now

MOST_BYTES = 3 * 1024
NAMES = ("/analytics.js", "/h.js", "/analytics.mjs", "/analytics.d.ts")


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.__name__)
async def test_every_event_is_stored_once_or_counted(
    browser: Browser, site: Site, servers: Servers, folder: Path, scenario: Scenario
) -> None:
    await scenario(Scene(browser, site, servers, folder))


def test_it_is_small() -> None:
    assert {name: size for name, size in compressed().items() if size > MOST_BYTES} == {}


async def test_a_call_costs_little(browser: Browser, site: Site) -> None:
    """The goal is 200 µs on an idle machine."""
    assert await microseconds_per_call(browser, site) < 2_000


@pytest.mark.parametrize("name", NAMES)
def test_it_is_served_to_any_page(site: Site, name: str) -> None:
    answer = site.client.get(name)
    file = CLIENT / "analytics.d.ts" if name.endswith(".ts") else VENDOR / name.replace("/h.", "/analytics.")[1:]
    assert answer.content == file.read_bytes()
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    again = site.client.get(name, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (httpx.codes.NOT_MODIFIED, b"")


async def test_the_named_calls_and_who_the_user_is(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, 'data-demo="false"')
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
    visitor.has(ids)
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


async def test_a_history_that_is_none_is_begun_anew(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    for odd in ('{"events": []}', "[null, 7]", "no JSON"):
        await page.evaluate("odd => localStorage.setItem('cv_analytics_events', odd)", odd)
        (made,) = await visitor.track(page)
        assert [event["event_id"] for event in await history(page)] == [made]


async def test_a_session_ends_after_half_an_hour_of_silence(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, 'data-send-to-backend="false"')
    page = await context.new_page()
    await page.clock.install(time=now())
    await visitor.visit(page)
    for minutes in (0, 20, 20, 31):
        await page.clock.fast_forward(minutes * 60_000)
        await visitor.track(page)
    sessions = [event["session_id"] for event in await history(page)]
    assert len(set(sessions[:3])) == 1
    assert sessions[3] != sessions[0]
    other = await visitor.visit()
    await visitor.track(other)
    assert (await history(other))[-1]["session_id"] not in sessions


async def test_the_history_is_a_thousand_events_of_a_day(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, 'data-send-to-backend="false"')
    page = await visitor.visit()
    old = {"event_type": "old", "timestamp": (now() - timedelta(hours=25)).isoformat()}
    await page.evaluate("old => localStorage.setItem('cv_analytics_events', old)", json.dumps([old]))
    await visitor.track(page, 1_003)
    kept = await history(page)
    assert len(kept) == 1_000
    assert {event["event_type"] for event in kept} == {visitor.kind}
    assert await waiting(page) == 0
    assert visitor.stored() == []


def imported(file: Path, database_url: str) -> str:
    """Import a file; return the command's output."""
    command = [sys.executable, "-m", "service", "import", str(file)]
    done = subprocess.run(command, env={"DATABASE_URL": database_url}, capture_output=True, check=True, text=True)
    return done.stdout + done.stderr


async def test_what_is_exported_can_be_imported(context: BrowserContext, site: Site, tmp_path: Path) -> None:
    visitor = Visitor(context, site, 'data-send-to-backend="false"')
    page = await visitor.visit()
    ids = await visitor.track(page, 5, tool_name="Map", properties={"a": [1, None, "ü"]})
    file = tmp_path / "dump.json"
    file.write_text(await page.evaluate("hourledger.exportEvents()"))
    for stored in (5, 0):
        assert f"{stored} stored" in await asyncio.to_thread(imported, file, site.database_url)
    visitor.has(ids)


@pytest.mark.parametrize(
    ("script", "attributes", "recorded"),
    [
        ("Object.defineProperty(navigator, 'doNotTrack', { get: () => '1' })", "", False),
        ("Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })", "", False),
        ("Object.defineProperty(navigator, 'doNotTrack', { get: () => '1' })", 'data-respect-privacy="false"', True),
        ("", 'data-sample-rate="0"', False),
        ("", 'data-sample-rate="1"', True),
    ],
)
async def test_who_is_not_recorded(
    context: BrowserContext, site: Site, script: str, attributes: str, recorded: bool
) -> None:
    await context.add_init_script(script)
    visitor = Visitor(context, site, attributes)
    page = await visitor.visit()
    ids = await visitor.track(page, 3)
    assert [each is not None for each in ids] == [recorded] * 3
    assert len(await history(page)) == (3 if recorded else 0)


async def test_a_part_of_the_sessions_is_recorded_whole(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site, 'data-sample-rate="0.5" data-send-to-backend="false"')
    page = await visitor.visit()
    recorded = await page.evaluate(
        """kind => Array.from({ length: 400 }, () => {
            hourledger.reset();
            return [0, 1, 2].map(() => hourledger.track(kind) !== null);
        })""",
        visitor.kind,
    )
    assert all(len(set(session)) == 1 for session in recorded)
    assert 120 < sum(session[0] for session in recorded) < 280


async def test_no_cookie_is_set_and_nothing_is_thrown(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108  # a built-in takes no attributes
    given = await page.evaluate(
        """() => {
            const cycle = {}; cycle.itself = cycle;
            const thrower = { get a() { throw new Error("no"); } };
            return [[cycle], [thrower], ["x".repeat(20_000)], [() => 1], [undefined]].map(([properties]) =>
                hourledger.track("odd", { properties })).concat(hourledger.track(), hourledger.track(Symbol("s")),
                    hourledger.track({}, 5), hourledger.track("x".repeat(200)));
        }"""
    )
    assert len(given) == 9
    await page.wait_for_function("hourledger.stats().queued === 0")
    assert await context.cookies() == []
    assert errors == []


@pytest.mark.parametrize(("attributes", "logged"), [("", True), ('data-debug="false"', False)])
async def test_the_console_is_for_development(
    context: BrowserContext, site: Site, attributes: str, logged: bool
) -> None:
    visitor = Visitor(context, site, attributes)
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    await visitor.visit(page)
    (made,) = await visitor.track(page)
    events = [json.loads(text) for text in said if text.startswith("{")]
    assert [(event["type"], event["event_id"]) for event in events] == ([("analytics_event", made)] if logged else [])


async def test_on_any_other_host_nothing_is_logged(context: BrowserContext, site: Site) -> None:
    page = await context.new_page()
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    visitor = Visitor(context, site, 'data-send-to-backend="false"', "http://shop.localhost")
    await visitor.visit(page, path=f"/quiet{PATH}")
    await visitor.track(page)
    assert [text for text in said if text.startswith("{")] == []
