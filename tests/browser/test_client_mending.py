"""The browser client mends or leaves out what the service would refuse. The event arrives, and the page is told."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import BrowserContext

from tests.browser.support.client import Visitor
from tests.http.support.site import Site

DEEP = "Array.from({ length: %d }).reduce((inner) => ({ a: inner }), 1)"
CIRCLE = "(() => { const circle = { name: 'x' }; circle.self = circle; return circle; })()"
THROWER = "{ get a() { throw new Error('no'); }, b: 1 }"


def nested(levels: int, inner: object = 1) -> Any:
    return {"a": nested(levels - 1, inner)} if levels else inner


# What a page gives, what is stored of it, and the parts that are reported.
CASES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("{ tool_name: 'cut 😀'.slice(0, 5) }", {"tool_name": "cut \ufffd"}, ["tool_name"]),
    ("{ action: 'a\\0b', user_id: '\\udc00' }", {"action": "a\ufffdb", "user_id": "\ufffd"}, ["action", "user_id"]),
    ("{ tool_name: 'x'.repeat(200) }", {"tool_name": "x" * 128}, ["tool_name"]),
    ("{ tool_name: '😀'.repeat(200) }", {"tool_name": "😀" * 128}, ["tool_name"]),
    (
        "{ tool_name: '👨‍👩‍👧‍👦', user_id: 0, action: '' }",
        {"tool_name": "👨‍👩‍👧‍👦", "user_id": "0", "action": None},
        [],
    ),
    ("{ tool_name: Object.create(null) }", {"tool_name": None}, ["tool_name"]),
    ("{ demo_mode: 0 }", {"demo_mode": False}, ["demo_mode"]),
    ("{ demo_mode: 'false' }", {"demo_mode": False}, ["demo_mode"]),
    ("{ demo_mode: 1 }", {"demo_mode": True}, ["demo_mode"]),
    ("{ demo_mode: null }", {"demo_mode": False}, []),
    ("{ properties: [1, 2] }", {"properties": None}, ["properties"]),
    ("{ properties: 'x' }", {"properties": None}, ["properties"]),
    ("{ properties: () => 1 }", {"properties": None}, ["properties"]),
    ("{ properties: new Date(0) }", {"properties": None}, ["properties"]),
    (
        "{ properties: { title: 'cut 😀'.slice(0, 5), ok: 'fine 😀', list: ['a\\0b', { 'k\\0': 1 }] } }",
        {"properties": {"title": "cut \ufffd", "ok": "fine 😀", "list": ["a\ufffdb", {"k\ufffd": 1}]}},
        ["properties.title", "properties.list"],
    ),
    (f"{{ properties: {DEEP % 32} }}", {"properties": nested(32)}, []),
    (f"{{ properties: {{ b: 1, a: {DEEP % 39} }} }}", {"properties": {"b": 1, **nested(31, {})}}, ["properties.a"]),
    (
        f"{{ properties: {{ ok: 1, circle: {CIRCLE}, big: 10n }} }}",
        {"properties": {"ok": 1, "big": "10"}},
        ["properties.circle"],
    ),
    (
        "{ properties: { $browser: 'Chrome', ok: 1, list: [{ $in: 1 }], $none: undefined } }",
        {"properties": {"ok": 1, "list": [{"$in": 1}]}},
        ["properties.$browser"],
    ),
    (f"{{ properties: {THROWER} }}", {"properties": {"b": 1}}, ["properties.a"]),
    (
        "{ properties: { url: '/a', stack: 'é'.repeat(9_000), after: true } }",
        {"properties": {"url": "/a", "after": True}},
        ["properties.stack"],
    ),
    ("{ properties: { full: 'x'.repeat(16_373) } }", {"properties": {"full": "x" * 16_373}}, []),
    ("{ properties: { full: 'x'.repeat(16_374) } }", {"properties": {}}, ["properties.full"]),
    ("{ properties: { a: 1e300, b: 1e-320, c: NaN } }", {"properties": {"a": 10**300, "b": 1e-320, "c": None}}, []),
    ("{ properties: { toJSON: () => ({ ok: 1 }), secret: 2 } }", {"properties": {"ok": 1}}, []),
]


@pytest.mark.parametrize(("given", "kept", "parts"), CASES, ids=[case[0][:40] for case in CASES])
async def test_an_event_is_mended_and_stored(
    context: BrowserContext, site: Site, given: str, kept: dict[str, Any], parts: list[str]
) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    told = await page.evaluate(
        f"""async (kind) => {{
            const told = [];
            hourledger.init({{ onError: (reason, detail) => told.push([reason, detail]) }});
            hourledger.track(kind, {given});
            await hourledger.flush();
            return told;
        }}""",
        visitor.kind,
    )
    await page.wait_for_function("hourledger.stats().queued === 0")
    (event,) = visitor.stored()
    assert {name: event[name] for name in kept} == kept
    assert told == ([["mended", parts]] if parts else [])
    stats = await visitor.stats(page)
    assert (stats["sent"], stats["dropped"]) == (1, 0)
    assert stats["reasons"] == ({"mended": 1} if parts else {})


async def test_an_event_type_is_mended_too(context: BrowserContext, site: Site) -> None:
    visitor = Visitor(context, site)
    page = await visitor.visit()
    await page.evaluate("kind => { hourledger.track(`${kind}\\0`); hourledger.track(`${kind}\\ud800`) }", visitor.kind)
    await page.wait_for_function("hourledger.stats().sent === 2")
    assert len(site.listed(event_type=f"{visitor.kind}\ufffd", hours=1)) == 2
