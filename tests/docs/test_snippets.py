"""The snippets for websites run in a browser, and their events arrive, each once."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import BrowserContext, Page, Route

from tests.docs.pages import Block, blocks
from tests.docs.printed import by_django, by_wordpress
from tests.http.support.site import Json, Site, unique
from tests.support.waiting import until

ORIGIN = "http://shop.localhost"
SERVICE = "https://stats.example.com"
STAND_IN = (Path(__file__).parent / "react_stand_in.js").read_text()
NAVIGATION = "export const usePathname = () => globalThis.path;"
# As a bundler finds them for the two frameworks.
IMPORTS = '{"imports": {"react": "/react.js", "next/navigation": "/navigation.js"}}'
PRINT: dict[str, Callable[[str], str]] = {"html": str, "django": by_django, "php": by_wordpress}


async def serve(context: BrowserContext, files: dict[str, str], path: str = "/") -> Page:
    """Open a page of a website with these files."""

    async def fulfil(route: Route) -> None:
        name = route.request.url.removeprefix(ORIGIN)
        kind = "text/javascript" if name.endswith("js") else "text/html"
        await route.fulfill(body=files.get(name, ""), content_type=f"{kind}; charset=utf-8")

    await context.route(re.compile(re.escape(ORIGIN)), fulfil)
    page = await context.new_page()
    await page.goto(ORIGIN + path)
    return page


async def arrived(page: Page, site: Site, tool: str) -> list[Json]:
    """Return the events of a tool when the page has nothing left to send."""
    await page.wait_for_function("(globalThis.hourledger ?? globalThis.client)?.stats().queued === 0")
    return await until(lambda: site.listed(tool_name=tool), f"an event of {tool} is stored")


def files_of(page: str) -> dict[str, str]:
    """Return the scripts of a page, each under the name in its first line."""
    named = {}
    for block in blocks("js"):
        if block.page == page:
            path = block.text.partition("\n")[0].removeprefix("// ")
            named[Path(path).name] = block.text
    return named


@pytest.mark.parametrize("block", blocks(*PRINT), ids=str)
async def test_a_snippet_of_html_sends_a_page_view(context: BrowserContext, site: Site, block: Block) -> None:
    title = unique("page")
    html = PRINT[block.language](block.text).replace(SERVICE, site.running.url).replace("shop:pricing", title)
    path = f"/{title}"
    page = await serve(context, {path: f"<!doctype html><title>{title}</title>{html}"}, path)
    (event,) = await arrived(page, site, path if "data-auto" in html else title)
    assert (event["event_type"], event["demo_mode"]) == ("page_viewed", False)
    assert event["user_id"] == ("4711" if block.language == "django" else None)


@pytest.mark.parametrize(
    ("name", "start"), [("usePageView.js", "() => usePageView(path)"), ("PageView.js", "PageView")]
)
async def test_the_hook_counts_a_page_once(context: BrowserContext, site: Site, name: str, start: str) -> None:
    scripts = {f"/{file}": text.replace(SERVICE, site.running.url) for file, text in files_of("README.md").items()}
    assert scripts.keys() == {"/usePageView.js", "/PageView.js"}
    function = name.removesuffix(".js")
    begin = f"""<!doctype html><script type="importmap">{IMPORTS}</script><script type="module">
        import {{ mount }} from "react";
        import client from "./analytics.mjs";
        import {{ {function} }} from "./{name}";
        Object.assign(globalThis, {{ client, begin: () => (globalThis.again = mount({start})) }});
        globalThis.ready = true;
    </script>"""
    client = site.client.get("/analytics.mjs").text
    added = {"/": begin, "/analytics.mjs": client, "/react.js": STAND_IN, "/navigation.js": NAVIGATION}
    page = await serve(context, scripts | added)
    await page.wait_for_function("globalThis.ready")
    first, second = unique("path"), unique("path")
    await page.evaluate("(path) => { globalThis.path = path; begin(); again(); }", first)
    await page.evaluate("(path) => { globalThis.path = path; again(); again(); }", second)
    await page.evaluate("client.flush()")
    for path in (first, second):
        (event,) = await arrived(page, site, path)
        assert (event["event_type"], event["demo_mode"]) == ("page_viewed", False)


def test_scripts_begin_with_their_name() -> None:
    assert all(re.match(r"// (?:src|app)/\w+\.js\n", block.text) for block in blocks("js"))


async def test_nothing_is_kept_or_sent_without_consent(context: BrowserContext, site: Site) -> None:
    (block,) = [each for each in blocks("js") if each.page == "docs/privacy.md"]
    path = f"/{unique('consent')}"
    begin = """<!doctype html><script type="module">
        import * as consent from "./consent.js";
        consent.start();
        Object.assign(globalThis, { consent, ready: true });
    </script>"""
    script = block.text.replace(SERVICE, site.running.url)
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = await serve(context, {path: begin, "/consent.js": script}, path)
    kept = "() => [...Object.keys(localStorage), ...Object.keys(sessionStorage)]"
    for choice in ("undefined", "consent.refuse()"):
        await page.wait_for_function("globalThis.ready")
        await page.evaluate(choice)
    await page.wait_for_load_state()
    await page.wait_for_function("globalThis.ready")
    assert [url for url in asked if url.startswith(site.running.url)] == []
    assert await page.evaluate(kept) == ["statistics"]
    await page.evaluate("consent.allow()")
    await page.wait_for_function("globalThis.hourledger?.stats().sent === 1")
    (event,) = await arrived(page, site, path)
    assert event["event_type"] == "page_viewed"
    await page.evaluate(
        "hourledger.identify('4711'); hourledger.track('last'); delete globalThis.ready; consent.refuse()"
    )
    await page.wait_for_function("globalThis.ready")
    assert await page.evaluate(kept) == ["statistics"]
    assert await page.evaluate("globalThis.hourledger") is None
