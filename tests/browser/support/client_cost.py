"""The size of the browser client, and the cost of a call."""

from __future__ import annotations

import gzip

from playwright.async_api import Browser

from service.web.assets import VENDOR
from tests.browser.support.client import Visitor
from tests.http.support.site import Site

SCRIPTS = ("analytics.js", "analytics.mjs")
CALLS = 500
TIMED = f"""kind => {{
    const times = [];
    for (let n = 0; n < {CALLS}; n += 1) {{
        const begun = performance.now();
        hourledger.track(kind, {{ tool_name: "Map", action: "opened", properties: {{ path: "/articles/7", n }} }});
        times.push(performance.now() - begun);
    }}
    return times.reduce((sum, each) => sum + each, 0) / times.length * 1000;
}}"""


def compressed() -> dict[str, tuple[int, int]]:
    """Return the sizes of each script in bytes: by brotli, which browsers ask for over TLS, and by gzip."""
    return {
        name: (len((VENDOR / f"{name}.br").read_bytes()), len(gzip.compress((VENDOR / name).read_bytes(), 9)))
        for name in SCRIPTS
    }


async def microseconds_per_call(browser: Browser, site: Site) -> float:
    """Return the average time of a call in microseconds, with storage and without console output."""
    context = await browser.new_context()
    visitor = Visitor(context, site, 'data-debug="false"')
    page = await visitor.visit()
    cost = float(await page.evaluate(TIMED, visitor.kind))
    await context.close()
    return cost
