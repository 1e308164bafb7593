"""Whom the browser client records, and what it leaves alone: cookies, errors, the console."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.async_api import BrowserContext

from tests.browser.support.client import PATH, Visitor, history
from tests.http.support.site import Site


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
