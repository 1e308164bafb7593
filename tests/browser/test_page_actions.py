"""Links, files, forms and named elements that the client records by itself, each where the page asks for it."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page

from tests.browser.support.client import Visitor, history
from tests.http.support.site import Site

BODY = """<body>
<a id=inside href="/prices?x=1">inside</a>
<a id=outside href="https://other.example/a?token=secret#b"><b id=bold>outside</b></a>
<a id=file href="/files/price%20list.PDF?v=2">file</a>
<a id=named download href="/files/any?token=secret">file</a>
<a id=foreign href="https://other.example/a.zip">file</a>
<a id=mail href="mailto:a@b.example">mail</a>
<form id=search><input name=id value=7><button id=go>go</button></form>
<form name=contact action="/send"></form>
<form class=none></form>
<button id=marked data-hl-event="signup" data-hl-plan="pro" data-hl-price-paid="19.5" data-hl-zip="01234"
  data-hl-version="1.10" data-hl-none="NaN">
  <i id=inner>Sign up</i></button>
<form id=order data-hl-event="ordered" data-hl-items="2"><button id=buy>buy</button></form>
<label data-hl-event="agreed"><b id=terms>terms</b><input id=box type=checkbox></label>
<label id=apart for=far data-hl-event="chosen">far</label><input id=far type=checkbox>
</body>"""
# The page goes nowhere, and hides its clicks from whoever listens late.
STILL = """() => {
    for (const type of ["click", "submit"]) document.body.addEventListener(type, (event) => {
        if (type === "submit" || event.target.closest("a")) event.preventDefault();
        event.stopPropagation();
    });
}"""
CLICK = "id => document.getElementById(id).click()"
ALL = "links downloads forms"
# What a visitor clicks, what the page asks for, and what is recorded: the type and the properties.
CASES: list[tuple[str, str, list[tuple[str, dict[str, Any]]]]] = [
    ("inside", ALL, []),
    ("mail", ALL, []),
    ("bold", ALL, [("outbound_link_clicked", {"url": "https://other.example/a"})]),
    ("bold", "downloads forms", []),
    ("file", ALL, [("file_downloaded", {"url": "ORIGIN/files/price%20list.PDF"})]),
    ("file", "links", []),
    ("named", ALL, [("file_downloaded", {"url": "ORIGIN/files/any"})]),
    ("foreign", ALL, [("file_downloaded", {"url": "https://other.example/a.zip"})]),
    ("foreign", "links", [("outbound_link_clicked", {"url": "https://other.example/a.zip"})]),
    ("go", ALL, [("form_submitted", {"form": "search", "path": "/actions"})]),
    ("go", "links downloads", []),
    (
        "inner",
        "links",
        [("signup", {"plan": "pro", "price_paid": 19.5, "zip": "01234", "version": "1.10", "none": "NaN"})],
    ),
    # The browser clicks the control of a label, too.
    ("terms", "links", [("agreed", {})]),
    ("box", "links", [("agreed", {})]),
    ("apart", "links", [("chosen", {})]),
    (
        "buy",
        "forms",
        [("ordered", {"items": 2}), ("form_submitted", {"form": "order", "path": "/actions"})],
    ),
]


async def opened(context: BrowserContext, site: Site, words: str) -> Page:
    visitor = Visitor(context, site)
    script = f'<script src="{site.running.url}/h.js" data-auto="{words}" data-send-to-backend="false"></script>'
    page = await context.new_page()
    await visitor.serve(page, f"<!doctype html><title>test</title>{script}{BODY}", "/actions")
    await page.evaluate(STILL)
    return page


async def recorded(page: Page, site: Site) -> list[tuple[str, dict[str, Any]]]:
    events = [(event["event_type"], event["properties"]) for event in await history(page)]
    address = {"url": lambda url: url.replace(site.running.url, "ORIGIN")}
    return [(kind, {k: address.get(k, lambda v: v)(v) for k, v in told.items()}) for kind, told in events]


@pytest.mark.parametrize(("clicked", "words", "expected"), CASES, ids=[f"{case[0]}-{case[1]}" for case in CASES])
async def test_what_a_click_records(
    context: BrowserContext, site: Site, clicked: str, words: str, expected: list[tuple[str, dict[str, Any]]]
) -> None:
    page = await opened(context, site, words)
    await page.evaluate(CLICK, clicked)
    assert await recorded(page, site) == expected


async def test_forms_are_told_apart_by_id_or_name(context: BrowserContext, site: Site) -> None:
    page = await opened(context, site, "forms")
    await page.evaluate("document.querySelectorAll('form').forEach((form) => form.requestSubmit())")
    forms = [told.get("form") for kind, told in await recorded(page, site) if kind == "form_submitted"]
    assert forms == ["search", "contact", None, "order"], "an input that is named id hides no id"


async def test_a_new_tab_counts_and_a_menu_does_not(context: BrowserContext, site: Site) -> None:
    page = await opened(context, site, "links")
    script = """button => document.getElementById("outside").dispatchEvent(
        new MouseEvent("auxclick", { button, bubbles: true, cancelable: true }))"""
    await page.evaluate(script, 1)
    await page.evaluate(script, 2)
    assert [kind for kind, _ in await recorded(page, site)] == ["outbound_link_clicked"]


async def test_an_element_that_is_added_later_is_heard(context: BrowserContext, site: Site) -> None:
    page = await opened(context, site, "views")
    await page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p id=late data-hl-event=read>text</p>')")
    await page.evaluate(CLICK, "late")
    await page.evaluate(CLICK, "outside")
    assert [kind for kind, _ in await recorded(page, site)] == ["page_viewed", "read"], "links are not asked for"


async def test_without_auto_nothing_is_heard(context: BrowserContext, site: Site) -> None:
    page = await opened(context, site, "false")
    for each in ("outside", "file", "go", "inner"):
        await page.evaluate(CLICK, each)
    assert await recorded(page, site) == []
