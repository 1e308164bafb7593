"""The timelines of sessions and users, in a dialog."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from playwright.async_api import Browser, Page, expect

from tests.browser.support.dashboard import (
    address,
    check_accessible,
    check_cards,
    open_dashboard,
    shown,
    without_complaints,
)
from tests.browser.support.insights import kept_events
from tests.browser.support.seeded import HOSTILE
from tests.http.support.site import Site, now, text_of, unique

DIALOG = "#timeline[open]"


async def test_a_session_opens_from_its_row_and_is_told_event_by_event(
    seeded: Site, page: Page, artifacts: Path
) -> None:
    with without_complaints(page):
        await open_dashboard(page, seeded, "?range=30d")
        button = page.locator("#events button[data-of=session]").first
        session = await button.inner_text()
        await button.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator(DIALOG)).to_be_visible()
        await page.wait_for_url(address(f"session={session}"))
        events = [event for event in await kept_events(seeded) if event["session_id"] == session]
        await expect(page.locator("#timeline .event")).to_have_count(len(events))
        types = await page.locator("#timeline .event-type").all_inner_texts()
        assert types == [event["event_type"] for event in events]
        answer = seeded.get(f"/api/analytics/sessions/{session}")
        assert [event["event_type"] for event in answer["events"]] == types
        await expect(page.locator("#timeline .facts dd").first).to_have_text(str(answer["events_in_range"]))
        gaps = [(after["timestamp"] - before["timestamp"]) for before, after in pairwise(events)]
        await expect(page.locator("#timeline .gap")).to_have_count(sum(gap >= timedelta(minutes=1) for gap in gaps))
        await check_accessible(page)
        await page.screenshot(path=artifacts / "session.png")
        await page.keyboard.press("Escape")
        await expect(page.locator(DIALOG)).to_have_count(0)
        await expect(button).to_be_focused()
        # The browser reports the close of a dialog some time after it disappears.
        await expect(page).not_to_have_url(re.compile("session="))
        await page.go_back()
        await expect(page.locator(DIALOG)).to_be_visible()
        await page.locator("#timeline").get_by_role("button", name="Only this session").click()
        await shown(page)
        await check_cards(page, seeded, hours=720, session_id=session)


async def test_gaps_are_told_as_people_do(site: Site, page: Page) -> None:
    session = unique("gaps")
    start = now() - timedelta(hours=3)
    moments = [0, 30, 30 + 61, 91 + 3_600 + 300, 3_991 + 59]
    site.send(
        *(
            {"event_type": "step", "session_id": session, "timestamp": text_of(start + timedelta(seconds=seconds))}
            for seconds in moments
        )
    )
    await page.goto(f"{site.running.url}/?session={session}")
    await expect(page.locator("#timeline .event")).to_have_count(5)
    assert await page.locator("#timeline .gap").all_inner_texts() == ["1 min 1 s later", "1 h 5 min later"]


async def test_a_user_is_told_by_sessions_and_leads_to_each(seeded: Site, page: Page, artifacts: Path) -> None:
    user = "user-7"
    await page.goto(f"{seeded.running.url}/?user={user}")
    events = [event for event in await kept_events(seeded) if event["user_id"] == user]
    answer = seeded.get(f"/api/analytics/users/{user}")
    sessions = page.locator("#timeline .ids li")
    await expect(sessions).to_have_count(len({event["session_id"] for event in events}))
    assert await sessions.locator("button").all_inner_texts() == [row["session_id"] for row in answer["sessions"]]
    await expect(page.locator("#timeline .event")).to_have_count(min(len(events), 200))
    await page.screenshot(path=artifacts / "user.png")
    first = await sessions.locator("button").first.inner_text()
    await sessions.locator("button").first.click()
    await page.wait_for_url(address(f"session={first}"))
    await expect(page.locator("#timeline-title")).to_have_text(f"Session {first}")
    await page.locator("#timeline .facts").get_by_role("button", name=user, exact=True).click()
    await expect(page.locator("#timeline-title")).to_have_text(f"User {user}")
    await page.locator("#timeline").get_by_role("button", name="Close").click()
    await expect(page.locator(DIALOG)).to_have_count(0)


async def test_a_long_timeline_goes_on(site: Site, page: Page) -> None:
    session = unique("long")
    start = now() - timedelta(hours=2)
    site.send(
        *(
            {
                "event_type": f"step-{place}",
                "session_id": session,
                "timestamp": text_of(start + timedelta(seconds=place)),
            }
            for place in range(250)
        )
    )
    await page.goto(f"{site.running.url}/?session={session}")
    await expect(page.locator("#timeline .event")).to_have_count(200)
    await page.get_by_role("button", name="Show more").click()
    await expect(page.locator("#timeline .event")).to_have_count(250)
    await expect(page.get_by_role("button", name="Show more")).to_be_hidden()
    assert await page.locator("#timeline .event-type").all_inner_texts() == [f"step-{place}" for place in range(250)]


async def test_hostile_ids_and_unknown_ones(site: Site, browser: Browser, artifacts: Path) -> None:
    context = await browser.new_context(viewport={"width": 360, "height": 740}, color_scheme="dark")
    page = await context.new_page()
    texts = [*HOSTILE, "a/b?c#d%2F", "..", "."]
    site.send(
        *({"event_type": text, "session_id": text, "timestamp": text_of(now()), "user_id": text} for text in texts)
    )
    with without_complaints(page):
        for text in texts:
            await open_dashboard(page, site, "?range=1h")
            await page.locator("#events button[data-of=session]").filter(has_text=text).first.click()
            await expect(page.locator("#timeline-title bdi")).to_have_text(text)
            await expect(page.locator("#timeline .event").first).to_be_visible()
            assert await page.evaluate("document.documentElement.scrollWidth") <= 360
    await page.screenshot(path=artifacts / "hostile.png")
    await page.goto(f"{site.running.url}/?session={unique('unknown')}")
    await expect(page.locator("#timeline .said")).to_have_text("No events of this session are kept.")
    await check_accessible(page)
    await context.close()
