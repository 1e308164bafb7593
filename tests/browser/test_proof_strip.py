"""The strip of proofs: every hour of any range can be reached, and the header says what all of them say together."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import cycle, islice
from typing import Any

import pytest
from playwright.async_api import Browser, Page, Route, expect

from tests.browser.support.dashboard import METRICS, open_dashboard
from tests.http.support.site import HOUR, Json, Site, hour_start, now, text_of

KEYS = "cells => cells.map(cell => Number(cell.dataset.key))"
CHECKED = "2026-01-01T00:00:00.000Z"
REFUSAL = {"ok": False, "error": {"code": "unavailable", "message": "not now"}}
# Keeps each text that the header shows.
WATCH_VERDICT = """
globalThis.texts = [];
const verdict = document.getElementById("verdict");
new MutationObserver(() => texts.push(verdict.textContent)).observe(verdict, { childList: true });
"""
COLUMNS = "cells => cells.map(cell => Number(cell.style.gridColumnStart))"
AT_SIX = "cells => cells.filter(cell => new Date(Number(cell.dataset.key)).getHours() === 6)"
PROVEN = {"events": 1_234, "digest": "0" * 32, "verified_at": CHECKED, "sealed_at": CHECKED}


def proven(start: datetime, states: list[str]) -> list[Json]:
    """Return the proofs of consecutive hours, newest first."""
    proofs = [{"hour": text_of(start + n * HOUR), **PROVEN, "state": state} for n, state in enumerate(states)]
    return proofs[::-1]


async def answer_with(page: Page, changes: dict[str, Any]) -> None:
    """Have the page get these parts in answers about proofs. The test may change them."""

    async def change(route: Route) -> None:
        body = await (await route.fetch()).json()
        await route.fulfill(json=body | changes)

    await page.route("**/api/analytics/proofs?*", change)


async def test_all_hours_of_ninety_days_are_reached_by_keyboard_and_pointer(seeded: Site, page: Page) -> None:
    proofs = seeded.get("/api/analytics/proofs", hours=2160)
    await open_dashboard(page, seeded, "?range=90d")
    days = page.locator("#strip-days .cell")
    await page.locator("#strip-days [tabindex='0']").focus()
    found: list[int] = []
    while True:
        found += await page.locator("#strip .cell").evaluate_all(KEYS)
        before = await page.evaluate("document.activeElement.dataset.key")
        await page.keyboard.press("ArrowLeft")
        if before == await page.evaluate("document.activeElement.dataset.key"):
            break
    since = int(datetime.fromisoformat(proofs["from"]).timestamp() * 1_000)
    assert sorted(found) == [since + n * 3_600_000 for n in range(2160)]
    assert await page.locator(".strip [tabindex='0']").count() == 2
    # Tab leads on to the hours of the chosen day.
    await page.keyboard.press("Tab")
    await page.keyboard.press("Home")
    oldest = await page.evaluate("Number(document.activeElement.dataset.key)")
    assert oldest == since
    newest = proofs["proofs"][0]
    key = int(datetime.fromisoformat(newest["hour"]).timestamp() * 1_000)
    day = max(first for first in await days.evaluate_all(KEYS) if first <= key)
    await page.locator(f"#strip-days .cell[data-key='{day}']").click()
    await page.locator(f"#strip .cell[data-key='{key}']").click()
    await expect(page.locator("#proof")).to_contain_text(newest["state"])
    assert await page.locator("#strip .strip-axis span").all_inner_texts() == ["12 AM", "6 AM", "12 PM", "6 PM"]


async def test_a_day_shows_its_worst_hour(seeded: Site, page: Page) -> None:
    midnight = hour_start(now()).replace(hour=0)
    states = ["verified"] * 24
    days = [[*states], [*states[:5], "drifted", *states[6:]], [*states[:5], "drifted", "damaged", "open", *states[8:]]]
    hours = [state for day in days for state in day]
    start = midnight - timedelta(days=3)
    await answer_with(page, {"proofs": proven(start, hours)})
    await open_dashboard(page, seeded, "?range=30d")
    cells = [f"#strip-days .cell[data-key='{int((start + timedelta(days=n)).timestamp() * 1_000)}']" for n in range(3)]
    labels = [(await page.locator(cell).get_attribute("aria-label") or "").partition(": ")[2] for cell in cells]
    assert labels == ["24 verified", "1 drifted, 23 verified", "1 damaged, 1 drifted, 1 open, 21 verified"]
    assert [await page.locator(cell).inner_text() for cell in cells] == ["", "D", "X"]
    # The link leads from one wrong hour to the next.
    await expect(page.locator("#verdict")).to_have_text("3 hours are wrong: show")
    for n in (54, 53, 29, 54):
        await page.locator("#verdict a").click()
        key = int((start + n * HOUR).timestamp() * 1_000)
        await expect(page.locator(f"#strip .cell[data-key='{key}']")).to_be_focused()
    await page.unroute_all(behavior="ignoreErrors")


async def test_the_verdict_says_what_the_hours_say(seeded: Site, page: Page) -> None:
    start = hour_start(now()) - 720 * HOUR
    cases = [
        (["verified"] * 720, "All 720 hours verified", "right"),
        (["sealed"] * 700 + ["verified"] * 20, "All 720 hours verified", "right"),
        (["verified"] * 718 + ["open"] * 2, "718 of 720 hours verified, 2 waiting", "right"),
        (["verified"] * 719 + ["drifted"], "1 hour is wrong: show", "wrong"),
        (["damaged"] + ["verified"] * 719, "1 hour is damaged: show", "wrong"),
        (list(islice(cycle(["damaged", "broken"]), 720)), "720 hours are wrong: show", "wrong"),
        ([], "Each hour is verified once it is over", "right"),
        # The current hour is not over, so that nobody waits for its proof.
        (["verified"] * 720 + ["open"], "All 720 hours verified", "right"),
        (["verified"], "1 hour verified", "right"),
    ]
    query = f"?from={text_of(start)}&to={text_of(start + 721 * HOUR)}"
    changes: dict[str, Any] = {"failed_elsewhere": []}
    await answer_with(page, changes)
    for states, words, state in cases:
        changes["proofs"] = proven(start, states)
        await open_dashboard(page, seeded, query)
        await expect(page.locator("#verdict")).to_have_text(words)
        await expect(page.locator("#verdict")).to_have_attribute("data-state", state)
        if "sealed" in states:
            assert "700 of them are sealed" in (await page.locator("#verdict").get_attribute("title") or "")
    found = [{"hour": text_of(start - n * HOUR), "state": "drifted"} for n in range(1, 101)]
    changes |= {"failed_elsewhere": found, "more_failed_elsewhere": 1_400}
    await open_dashboard(page, seeded, query)
    words = "1 hour verified, 1,500 wrong hours outside of the range: show"
    await expect(page.locator("#verdict")).to_have_text(words)
    changes.clear()
    changes |= REFUSAL
    await page.goto(f"{seeded.running.url}/{query}")
    await expect(page.locator("#verdict")).to_have_text("Proofs could not be loaded")
    await page.unroute_all(behavior="ignoreErrors")


async def test_wrong_hours_stay_known_while_proofs_cannot_be_loaded(seeded: Site, page: Page) -> None:
    wrong = hour_start(now()) - 4 * HOUR
    changes: dict[str, Any] = {"proofs": proven(wrong, ["drifted", "verified"]), "failed_elsewhere": []}
    await answer_with(page, changes)
    await open_dashboard(page, seeded)
    await expect(page.locator("#verdict")).to_have_text("1 hour is wrong: show")
    await page.evaluate(WATCH_VERDICT)
    changes |= REFUSAL
    for name in ("24 h", "7 d", "24 h"):
        before = await page.locator("html").get_attribute("data-shown") or ""
        await page.get_by_role("button", name=name).click()
        await expect(page.locator("html")).not_to_have_attribute("data-shown", before)
    assert await page.evaluate("texts") == ["Proofs could not be loaded; last known: 1 hour is wrong: show"]
    await expect(page.locator("#verdict")).to_have_attribute("data-state", "wrong")
    await expect(page.locator(".card-wrong:visible")).to_have_count(len(METRICS))
    # The link leads to the hour in a range that does not have it, too.
    await page.get_by_role("button", name="1 h", exact=True).click()
    await expect(page.locator(".card-wrong:visible")).to_have_count(0)
    await page.locator("#verdict a").click()
    await expect(page.locator(f"#strip .cell[data-key='{int(wrong.timestamp() * 1_000)}']")).to_be_focused()
    await page.unroute_all(behavior="ignoreErrors")


@pytest.mark.parametrize(
    ("day", "columns", "marks"),
    [
        ("2026-10-25", [*range(25)], [0, 7, 13, 19]),
        ("2026-03-29", [0, 1, *range(3, 24)], [0, 6, 12, 18]),
    ],
)
async def test_a_day_of_another_length_stands_below_the_hours(
    seeded: Site, browser: Browser, day: str, columns: list[int], marks: list[int]
) -> None:
    context = await browser.new_context(timezone_id="Europe/Zurich", locale="de-CH")
    page = await context.new_page()
    start = datetime.fromisoformat(f"{day}T12:00Z")
    query = f"?from={text_of(start - 24 * HOUR)}&to={text_of(start + 24 * HOUR)}"
    await page.goto(f"{seeded.running.url}/{query}")
    await expect(page.locator("html[data-shown]")).to_be_attached()
    row = page.locator("#strip [role=row]").nth(1)
    assert await row.locator(".cell").evaluate_all(COLUMNS) == [column + 2 for column in columns]
    assert await page.locator("#strip .strip-axis span").evaluate_all(COLUMNS) == [mark + 2 for mark in marks]
    # Both days that have six o'clock have it below the mark.
    found = await page.locator("#strip .cell").evaluate_all(f"cells => ({COLUMNS})(({AT_SIX})(cells))")
    assert found == [marks[1] + 2] * 2
    await context.close()
