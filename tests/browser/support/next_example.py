"""Build and run the Next.js example in Chromium: `python -m tests.browser.support.next_example`.

It takes minutes and hundreds of megabytes, in a temporary folder, so no test runs it. The example runs as it is built
(`next start`) and as it is developed (`next dev`, where StrictMode runs effects twice). Either counts each page once,
with its own title, and the button. Exits 0 when both do.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import httpx
from playwright.async_api import async_playwright

from tests.browser.conftest import FLAGS, chromium
from tests.conftest import Servers, folder_for_servers, free_port
from tests.http.support.site import Json, Site, new_site
from tests.support.waiting import until

PACKAGE = Path(__file__).parents[3] / "clients" / "javascript"
PAGES = [("/", "Shop"), ("/cart", "Cart"), ("/", "Shop")]


@click.command(help=__doc__)
def main() -> None:
    """Install, build, run, print."""
    with TemporaryDirectory() as folder:
        app = _installed(Path(folder))
        outcomes = asyncio.run(_tried(app))
    for line in outcomes:
        click.echo(line)
    sys.exit(1 if any("FAILED" in line for line in outcomes) else 0)


def _installed(folder: Path) -> Path:
    """Pack the client, and install the example with it; return the folder of the app."""
    _npm(PACKAGE, "pack", "--ignore-scripts=false", "--pack-destination", str(folder))
    app = folder / "examples" / "next"
    shutil.copytree(PACKAGE / "examples" / "next", app)
    _npm(app, "install", "--no-audit", "--no-fund", "--no-package-lock")
    return app


def _npm(folder: Path, *words: str) -> None:
    subprocess.run(["npm", *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


async def _tried(app: Path) -> list[str]:
    origins = {way: f"http://localhost:{free_port()}" for way in ("start", "dev")}
    with folder_for_servers() as folder, ExitStack() as opened:
        servers = Servers(folder, opened)
        async with new_site(servers, folder, HOURLEDGER_CORS_ORIGINS=",".join(origins.values())) as site:
            settings = os.environ | {"NEXT_PUBLIC_HOURLEDGER": f"{site.running.url}/e", "NEXT_TELEMETRY_DISABLED": "1"}
            next_ = str(app / "node_modules" / ".bin" / "next")
            await asyncio.to_thread(
                subprocess.run, [next_, "build"], cwd=app, env=settings, check=True, stdout=subprocess.DEVNULL
            )
            said = []
            for way, origin in origins.items():
                with _running([next_, way, "-p", origin.rpartition(":")[2]], app, settings):
                    said.append(f"next {way}: {await _outcome(site, origin)}")
        await servers.close()
    return said


@contextmanager
def _running(command: list[str], app: Path, settings: dict[str, str]) -> Iterator[None]:
    with subprocess.Popen(command, cwd=app, env=settings, stdout=subprocess.DEVNULL, start_new_session=True) as server:
        try:
            yield
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)


async def _outcome(site: Site, origin: str) -> str:
    await until(lambda: _answers(origin), f"{origin} answers")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        page = await browser.new_page()
        await page.goto(origin)
        await page.wait_for_function("localStorage.getItem('hourledger_session')")  # the page is alive
        await page.get_by_role("button", name="Add to cart").click()
        for link in ("Cart", "Shop"):
            await page.get_by_role("link", name=link).click()
            await page.wait_for_url(f"{origin}{'/cart' if link == 'Cart' else '/'}")
            await page.wait_for_function("title => document.title === title", arg=link)
        session = str(await page.evaluate("localStorage.getItem('hourledger_session').split(' ')[0]"))
        events = await until(
            lambda: _of(site, session), "its events are stored", holds=lambda found: len(found) > len(PAGES)
        )
        await browser.close()
    views = [(each["tool_name"], each["properties"]["title"]) for each in events if each["event_type"] == "page_viewed"]
    added = [each["properties"] for each in events if each["event_type"] == "added"]
    is_right = views == PAGES and added == [{"price": 19.9}]
    return "each page and the button counted once" if is_right else f"FAILED: {views} {added}"


def _answers(origin: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(origin, timeout=60).is_success
    return False


def _of(site: Site, session: str) -> list[Json]:
    return site.listed(session_id=session, hours=1)[::-1]


if __name__ == "__main__":
    main()
