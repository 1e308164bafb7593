"""The browser client's history of its own events: sessions, length, export."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

from playwright.async_api import BrowserContext

from tests.browser.support.client import Visitor, history, waiting
from tests.http.support.site import Site, now


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
    await visitor.has(ids)
