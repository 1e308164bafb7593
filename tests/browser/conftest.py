"""A real browser and its pages. Without a Chromium these tests are skipped; CI requires one."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

from tests.browser.support.administered import Administered, new_administered, sign_in
from tests.browser.support.seeded import seeded_events
from tests.browser.support.web_site import visits
from tests.conftest import Servers
from tests.http.support.site import Site, new_site, now

# Names of the browser on Debian and elsewhere. The first has no windows of its own, which saves 40 % of its CPU time.
PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
# A visitor's browser; the service refuses headless ones as bots.
VISITOR = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--in-process-gpu",  # pictures are drawn by the CPU; a process of their own would only copy them
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # Otherwise a page of another origin needs the visitor's permission to reach a service on this machine.
    "--disable-features=LocalNetworkAccessChecks",
    f"--user-agent={VISITOR}",
]
# How long a page may take on a busy machine, in milliseconds.
PATIENCE = 60_000
TOKEN = "read-token"  # noqa: S105
# Screenshots that tests take; CI keeps them.
ARTIFACTS = Path(__file__).parents[2] / ".artifacts"


def chromium() -> str | None:
    """Return the path of the system's Chromium, if there is one."""
    return next(filter(None, map(shutil.which, PROGRAMS)), None)


def be_patient(context: BrowserContext) -> None:
    """Give everything in a context its time: Playwright's own limit, half as long, is too short on a busy machine."""
    context.set_default_timeout(PATIENCE)


@pytest_asyncio.fixture(scope="package")
async def browser() -> AsyncIterator[Browser]:
    program = chromium()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium is installed")
        pytest.skip("needs Chromium, on Debian: apt-get install chromium-headless-shell")
    async with async_playwright() as playwright:
        expect.set_options(timeout=PATIENCE)
        browser = await playwright.chromium.launch(executable_path=program, args=FLAGS)
        browser.on("context", be_patient)
        yield browser
        await browser.close()


@pytest_asyncio.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """Give a fresh browser profile with empty storage."""
    context = await browser.new_context()
    yield context
    await context.close()


@pytest_asyncio.fixture
async def page(context: BrowserContext) -> Page:
    return await context.new_page()


@pytest.fixture(scope="package")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("browser")


@pytest_asyncio.fixture(scope="package")
async def site(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service that stores what clients send, and adds nothing; tests that share it use names of their own."""
    async with new_site(servers, folder, HOURLEDGER_EDGE_PROPERTIES="none") as site:
        yield site
        site.check_log()


@pytest_asyncio.fixture(scope="package")
async def seeded(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with four weeks of events, for tests that look at its dashboard."""
    async with new_site(servers, folder, HOURLEDGER_EVENT_RETENTION_DAYS="30") as site:
        site.send(*seeded_events(now()))
        yield site
        site.check_log()


@pytest_asyncio.fixture(scope="package")
async def web(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with the visits of a web site."""
    async with new_site(servers, folder) as site:
        site.send(*visits(now()))
        yield site
        site.check_log()


@pytest_asyncio.fixture(scope="package")
async def tokened(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service that requires a token and holds few events over four weeks, weekends included."""
    async with new_site(servers, folder, HOURLEDGER_READ_TOKEN=TOKEN, HOURLEDGER_EVENT_RETENTION_DAYS="30") as site:
        site.client.headers["authorization"] = f"Bearer {TOKEN}"
        site.send(*seeded_events(now(), per_hour=5.0))
        yield site
        site.check_log()


@pytest_asyncio.fixture(scope="package")
async def administered(servers: Servers, folder: Path) -> AsyncIterator[Administered]:
    """Give a service with events, a second site, and an admin key for all sites."""
    async with new_administered(servers, folder) as found:
        yield found


@pytest_asyncio.fixture
async def knowing_page(context: BrowserContext, tokened: Site) -> Page:
    """Give a page of a browser that is signed in to `tokened`."""
    await sign_in(context, tokened, TOKEN)
    return await context.new_page()


@pytest.fixture
def artifacts(request: pytest.FixtureRequest) -> Path:
    """Give the folder for this test's screenshots."""
    folder = ARTIFACTS / re.sub(r"\W+", "-", request.node.name).strip("-")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
