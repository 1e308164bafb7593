"""Filters, conditions and saved segments in a real browser; every read of the page uses them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from playwright.async_api import Page, expect

from tests.browser.support.dashboard import (
    address,
    check_accessible,
    check_cards,
    open_dashboard,
    shown,
    without_complaints,
)
from tests.browser.support.insights import kept_events
from tests.http.support.site import HOUR, Site, hour_start, now, unique

WHERE = "properties.plan = pro and properties.seats >= 3"


def conditions_in(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query).get("where", [])


async def add_filter(page: Page, field: str, operator: str, value: str) -> None:
    await page.get_by_role("button", name="Add filter").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_label("Field", exact=True)).to_be_focused()
    await page.get_by_label("Field", exact=True).select_option(field)
    await page.get_by_label("Operator", exact=True).select_option(operator)
    await page.get_by_label("Value", exact=True).fill(value)
    await page.keyboard.press("Enter")
    await shown(page)


async def test_filters_are_added_by_keyboard_and_all_reads_take_them(seeded: Site, page: Page) -> None:
    with without_complaints(page):
        await open_dashboard(page, seeded, "?range=30d")
        await add_filter(page, "action", "=", "run")
        await page.wait_for_url(address("action=run"))
        await expect(page.get_by_role("button", name="Add filter")).to_be_focused()
        await add_filter(page, "properties.plan", "=", "pro")
        await add_filter(page, "properties.seats", ">=", "3")
    chips = page.locator("#chips button")
    assert ["".join(text.split("remove")[0].split()) for text in await chips.all_text_contents()] == [
        "Actionrun",
        "properties.plan=pro",
        "properties.seats>=3",
    ]
    await check_cards(page, seeded, hours=720, action="run", where=WHERE)
    since = hour_start(now()) + HOUR - timedelta(hours=720)
    expected = [
        event
        for event in await kept_events(seeded)
        if event["timestamp"] >= since
        and event["action"] == "run"
        and event["properties"].get("plan") == "pro"
        and event["properties"]["seats"] >= 3
    ]
    await expect(page.locator("#card-events .card-value")).to_have_text(f"{len(expected):,}")
    newest = sorted(expected, key=lambda event: event["timestamp"], reverse=True)[:15]
    sessions = await page.locator("#events tbody td:nth-child(5)").all_inner_texts()
    assert [text for text in sessions if text.strip()] == [event["session_id"] for event in newest]
    assert conditions_in(page.url) == ["properties.plan = pro", "properties.seats >= 3"]
    await chips.nth(1).click()
    await shown(page)
    await check_cards(page, seeded, hours=720, action="run", where="properties.seats >= 3")
    await page.go_back()
    await shown(page)
    await check_cards(page, seeded, hours=720, action="run", where=WHERE)


async def test_an_address_of_an_older_page_is_one_chip_as_it_is_written(seeded: Site, page: Page) -> None:
    await open_dashboard(page, seeded, f"?{urlencode({'range': '30d', 'where': WHERE, 'action': 'run'})}")
    await expect(page.locator("#chips bdi")).to_have_text(["run", WHERE])
    await check_cards(page, seeded, hours=720, action="run", where=WHERE)
    await page.locator("#chips button").nth(1).click()
    await shown(page)
    await check_cards(page, seeded, hours=720, action="run")


async def test_conditions_that_are_alike_are_removed_one_at_a_time(seeded: Site, page: Page) -> None:
    twice = [("where", "tool_name exists"), ("where", "action in (run, 'open it')"), ("where", "tool_name exists")]
    await open_dashboard(page, seeded, f"?{urlencode([*twice, ('range', '30d')])}")
    await expect(page.locator("#chips bdi")).to_have_text([text for _, text in twice])
    await page.locator("#chips button").first.click()
    await shown(page)
    assert conditions_in(page.url) == [text for _, text in twice[1:]]
    await check_cards(page, seeded, hours=720, where="action in (run, 'open it') and tool_name exists")


async def test_fields_and_values_that_were_sent_are_suggested(seeded: Site, page: Page) -> None:
    await open_dashboard(page, seeded)
    await page.get_by_role("button", name="Add filter").click()
    field = page.get_by_label("Field", exact=True)
    await expect(field.locator("optgroup[label=Properties] option")).not_to_have_count(0)
    found = seeded.get("/api/analytics/properties", hours=168)["properties"]
    named = [f"properties.{row['property']}" for row in found]
    assert (
        await field.locator("optgroup[label=Properties] option").evaluate_all("all => all.map(o => o.value)") == named
    )
    await field.select_option("properties.plan")
    values = seeded.get("/api/analytics/properties", hours=168, property="plan")["properties"][0]["values"]
    await expect(page.locator("#drawer datalist option")).to_have_count(len(values))
    assert await page.locator("#drawer datalist option").evaluate_all("all => all.map(o => o.value)") == [
        row["value"] for row in values
    ]
    await page.get_by_label("Operator", exact=True).select_option("missing")
    await expect(page.get_by_label("Value", exact=True)).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(page.locator("#drawer")).to_be_hidden()
    await expect(page.get_by_role("button", name="Add filter")).to_be_focused()


async def test_a_text_that_looks_like_a_number_stays_what_was_sent(site: Site, page: Page) -> None:
    kind = unique("ten")
    at = now() - timedelta(minutes=1)
    for place, ten in enumerate(["10", 10, "ten", "10"]):
        site.send(
            {
                "event_type": kind,
                "session_id": kind,
                "timestamp": at.isoformat(),
                "event_id": f"{kind}-{place}",
                "properties": {kind: ten},
            }
        )
    await open_dashboard(page, site, f"?range=6h&event_type={kind}")
    await add_filter(page, f"properties.{kind}", "=", "10")
    await check_cards(page, site, hours=6, event_type=kind, where=f"properties.{kind} = 10")
    await expect(page.locator("#card-events .card-value")).to_have_text("3")


async def delete_segment(page: Page, seeded: Site, name: str) -> None:
    await page.reload()
    await shown(page)
    await check_cards(page, seeded, hours=720, segment=name)
    await page.get_by_role("button", name="Segments").click()
    choice = page.locator("#drawer").get_by_role("button", name=name, exact=True)
    await expect(choice).to_have_attribute("aria-pressed", "true")
    await choice.click()
    await expect(choice).to_have_attribute("aria-pressed", "false")
    await shown(page)
    await check_cards(page, seeded, hours=720)
    await choice.click()
    await page.get_by_role("button", name=f"Delete the segment {name}").click()
    await expect(choice).to_have_count(0)
    await expect(page.locator("#chips button")).to_have_count(0)
    assert name not in {row["name"] for row in seeded.get("/api/analytics/segments")["segments"]}


async def test_segments_are_saved_chosen_and_deleted(seeded: Site, page: Page, artifacts: Path) -> None:
    name = f"{unique('Paying')} <b>&"
    await open_dashboard(page, seeded, "?range=30d&tool_name=search&demo_mode=false")
    await page.get_by_role("button", name="Segments").click()
    await expect(page.get_by_label("Save these filters as")).to_be_focused()
    await page.keyboard.type(name)
    await page.keyboard.press("Enter")
    await page.wait_for_url(address("segment=Paying"))
    await shown(page)
    saved = {row["name"]: row["filters"] for row in seeded.get("/api/analytics/segments")["segments"]}
    assert saved[name] == {"tool_name": "search", "demo_mode": "false"}
    await expect(page.locator("#chips button")).to_contain_text(name)
    await check_cards(page, seeded, hours=720, tool_name="search", demo_mode="false")
    await check_accessible(page)
    await page.screenshot(path=artifacts / "segments.png")
    listed = seeded.listed(hours=720, limit=15, segment=name)
    assert await page.locator("#events tbody td:nth-child(5)").all_inner_texts() == [
        row["session_id"] for row in listed
    ]
    await delete_segment(page, seeded, name)


async def test_what_cannot_be_saved_or_read_is_said(seeded: Site, page: Page) -> None:
    await open_dashboard(page, seeded, "?range=24h&tool_name=search")
    await page.get_by_role("button", name="Segments").click()
    name = page.get_by_label("Save these filters as")
    await name.fill("with/slash")
    assert not await name.evaluate("input => input.checkValidity()")
    await name.fill("unseen\u200b")
    await page.keyboard.press("Enter")
    await expect(page.locator("#drawer .said")).to_contain_text("rejected this: name must be")
    await page.goto(f"{seeded.running.url}/?where=nonsense+%3D")
    await expect(page.locator("#chart .fault")).to_contain_text("where must")
    await page.locator("#chips button").click()
    await shown(page)
    await expect(page.locator("#chart .fault")).to_be_hidden()
