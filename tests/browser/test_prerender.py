"""A page that the browser prepares ahead is no view until the visitor opens it. Chromium itself prepares the page.

Playwright holds up what it would prerender, so the browser runs by itself, and its pages say how far they are.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import psutil
import pytest

from tests.browser.conftest import FLAGS, chromium
from tests.browser.support.proxy import Website, website
from tests.http.support.site import Site, unique
from tests.support.waiting import wait_until

HERE = """<!doctype html><title>here</title><script src="/stats/h.js"></script>
<script type="speculationrules">
{"prerender": [{"source": "list", "urls": ["/next.html"], "eagerness": "immediate"}]}
</script>
<script>(async () => {
  await fetch("/said?prepared");
  await hourledger.flush();
  await fetch(`/said?waits=${hourledger.stats().queued}`);
  await fetch("/said?open");
  location.href = "/next.html";
})();</script>"""
NEXT = """<!doctype html><title>next</title><script src="/stats/h.js" data-auto></script>
<script>
const given = { action: String(document.prerendering) };
const id = hourledger.track("%s", given);
given.action = "changed later";
fetch(`/said?tracked=${id}&prerendering=${document.prerendering}`);
</script>"""


@contextmanager
def browsing(address: str, folder: Path) -> Iterator[None]:
    """Open an address in a browser of its own."""
    program = chromium()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed")
        pytest.skip("needs Chromium, on Debian: apt-get install chromium-headless-shell")
    # A debugging port keeps it open after the page has loaded.
    flags = [*FLAGS, f"--user-data-dir={folder}", "--remote-debugging-port=0"]
    with subprocess.Popen([program, *flags, address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as browser:
        try:
            yield
        finally:
            for process in psutil.Process(browser.pid).children(recursive=True):  # Debian's program is a script
                with suppress(psutil.NoSuchProcess):
                    process.kill()
            browser.kill()


def asked_for(here: Website, path: str) -> None:
    wait_until(
        lambda: [asked for asked, _ in here.answered], f"the browser asks for {path}", holds=lambda paths: path in paths
    )


def test_a_prepared_page_counts_once_it_is_opened(site: Site, tmp_path: Path) -> None:
    kind = unique("prerendered")
    with website(site, "/stats") as here:
        here.pages = {"/here.html": HERE, "/next.html": NEXT % kind}
        here.gates = {"/said?prepared": Event(), "/said?open": Event()}
        with browsing(f"{here.origin}/here.html", tmp_path):
            asked_for(here, "/said?tracked=null&prerendering=true")
            here.gates["/said?prepared"].set()
            asked_for(here, "/said?waits=0")
            assert site.listed(event_type=kind, hours=1) == site.listed(tool_name="/next.html") == []
            here.gates["/said?open"].set()
            wait_until(lambda: site.listed(event_type=kind, hours=1), "the view is stored")
    (event,) = site.listed(event_type=kind, hours=1)
    assert event["action"] == "true", "the page was prepared, and the event is as it was then"
    (view,) = site.listed(tool_name="/next.html")
    assert (view["event_type"], view["session_id"]) == ("page_viewed", event["session_id"])
