"""The funnel view in a real browser: its steps, and its numbers compared with the API's and a count in Python."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import TOKEN
from tests.browser.support.dashboard import address, check_accessible, shown, without_complaints
from tests.browser.support.funnels import depths, funnel, percent, rows, written
from tests.browser.support.insights import answer_404, kept_events, open_view, view_shown
from tests.http.support.site import HOUR, Json, Site, hour_start, now

STEPS = "&step=event_type+%3D+page_view&step=tool_name+%3D+search&step=action+%3D+run"
LONG = urlencode({"and": "action in (run, 'a rather long text that does not fit beside anything on a phone', open)"})
# Holds what the refusal of a funnel says until the test releases it.
HELD = """
    const read = Response.prototype.text;
    const released = new Promise((done) => { window.release = done; });
    Response.prototype.text = async function () {
        if (this.status === 401 && this.url.endsWith("/funnels")) await released;
        return read.call(this);
    };
"""
SENT = [{"event_type": "page_view"}, {"tool_name": "search"}, {"action": "run"}]


def steps_in(url: str) -> list[str]:
    return parse_qs(urlsplit(url).query).get("step", [])


async def test_its_numbers_are_those_of_the_api_and_of_a_count(seeded: Site, page: Page, artifacts: Path) -> None:
    with without_complaints(page):
        await open_view(page, seeded, "funnels", f"&range=30d{STEPS}")
    answer = funnel(seeded, SENT, hours=720)
    assert await rows(page) == written(answer)
    since = hour_start(now()) + HOUR - timedelta(hours=720)
    tests = [
        lambda event: event["event_type"] == "page_view",
        lambda event: event["tool_name"] == "search",
        lambda event: event["action"] == "run",
    ]
    reached = depths(await kept_events(seeded), since, tests)
    assert [step["reached"] for step in answer["steps"]] == reached
    assert 0 < reached[2] < reached[1] < reached[0]
    headline = await page.locator("#funnels .headline").inner_text()
    assert headline.startswith(percent(reached[2] / reached[0]))
    assert f"{reached[0]:,} sessions" in headline
    facts = await page.locator("#funnels .funnel li:nth-child(2) p").first.inner_text()
    assert facts.startswith(f"{percent(answer['steps'][1]['rate_from_previous'])} of the step before · median ")
    await expect(page.locator("#funnels .funnel")).to_contain_text(
        f"{reached[0] - reached[1]:,} did not reach the next step"
    )
    await check_accessible(page)
    await page.screenshot(path=artifacts / "funnel.png")


async def test_a_funnel_is_built_by_keyboard(seeded: Site, page: Page) -> None:
    with without_complaints(page):
        await open_view(page, seeded, "funnels")
        await expect(page.locator("#funnels .outcome")).to_contain_text("Add two steps or more")
        adding = page.get_by_label("Add a step")
        await expect(adding.locator("optgroup")).to_have_count(3)
        for choice in ("event_type = page_view", "tool_name = search", "action = run"):
            await adding.select_option(choice)
        await view_shown(page, "funnels")
        assert await rows(page) == written(funnel(seeded, SENT))
        last = page.get_by_label("Step 3", exact=True)
        await expect(last).to_be_focused()
        await page.keyboard.press("Alt+ArrowUp")
        await expect(page.get_by_label("Step 2", exact=True)).to_be_focused()
        await page.get_by_role("button", name="Move up step 2").press("Enter")
        await expect(page.locator("#announcement")).to_have_text("Step 1 moved here.")
        await view_shown(page, "funnels")
        assert await rows(page) == written(funnel(seeded, [SENT[2], SENT[0], SENT[1]]))
        await page.get_by_role("button", name="Remove step 2").press("Enter")
        await view_shown(page, "funnels")
        assert await rows(page) == written(funnel(seeded, [SENT[2], SENT[1]]))
        assert steps_in(page.url) == ["action = run", "tool_name = search"]
        await page.go_back()
        await view_shown(page, "funnels")
        assert await rows(page) == written(funnel(seeded, [SENT[2], SENT[0], SENT[1]]))


async def test_a_step_is_narrowed_by_conditions(seeded: Site, page: Page) -> None:
    await open_view(page, seeded, "funnels", "&range=30d&step=event_type+%3D+feature_interaction&step=action+%3D+run")
    await page.get_by_role("button", name="Add a condition to step 1").press("Enter")
    form = page.locator("#funnels form")
    await expect(form.locator("optgroup[label=Properties] option")).not_to_have_count(0)
    await form.get_by_label("Field").select_option("properties.plan")
    await expect(form.locator("datalist option")).to_have_count(3)
    await form.get_by_label("Value").fill("pro")
    await page.keyboard.press("Enter")
    await page.wait_for_url(address("step=event_type[^&]*&and=properties.plan[^&]*&step="))
    await view_shown(page, "funnels")
    steps: list[Json] = [
        {"event_type": "feature_interaction", "where": "properties.plan = pro"},
        SENT[2],
    ]
    assert await rows(page) == written(funnel(seeded, steps, hours=720))
    await page.get_by_role("button", name="Add a condition to step 2").click()
    await form.get_by_label("Field").select_option("properties.seats")
    await form.get_by_label("Operator").select_option(">=")
    await form.get_by_label("Value").fill("2")
    await page.keyboard.press("Enter")
    await expect(page.locator("#funnels .chip")).to_have_count(2)
    await view_shown(page, "funnels")
    steps[1] = {"action": "run", "where": "properties.seats >= 2"}
    assert await rows(page) == written(funnel(seeded, steps, hours=720))
    await page.locator("#funnels .chip").first.click()
    await view_shown(page, "funnels")
    assert await rows(page) == written(funnel(seeded, [{"event_type": "feature_interaction"}, steps[1]], hours=720))


@pytest.mark.parametrize(
    ("query", "steps"),
    [
        ([("step", "tool_name exists")], ["tool_name exists"]),
        ([("step", "action = run and action = open")], ["action = run and action = open"]),
        ([("step", "properties.seats != 2")], ["properties.seats != 2"]),
        (
            [("step", "tool_name = search"), ("and", "user_id exists"), ("and", "properties.plan = 'pro'")],
            ["tool_name = search and user_id exists and properties.plan = 'pro'"],
        ),
        ([("and", "lost"), ("step", ""), ("and", "action = run")], ["action = run"]),
    ],
)
async def test_what_an_address_says_is_what_is_shown_and_asked(
    seeded: Site, page: Page, query: list[tuple[str, str]], steps: list[str]
) -> None:
    """With each of the first three, older versions showed one question and asked another."""
    steps = [*steps, "event_type exists"]
    async with page.expect_request("**/api/analytics/funnels") as asked:
        await open_view(page, seeded, "funnels", f"&{urlencode([*query, ('step', 'event_type exists')])}")
    body: Any = (await asked.value).post_data_json
    assert body["steps"] == [{"where": text} for text in steps]
    labels = await page.locator("#funnels .step").evaluate_all("all => all.map((row) => row.ariaLabel)")
    assert labels == [f"Step {place}: {text}" for place, text in enumerate(steps, 1)]
    first = page.locator("#funnels .step").first
    picked, *more = [text for _, text in query if text and text != "lost"]
    await expect(first.locator("select")).to_have_value(picked)
    await expect(first.locator("bdi")).to_have_text(more)
    answer = funnel(seeded, [{"where": text} for text in steps])
    if answer["steps"][0]["reached"]:
        assert await rows(page) == written(answer)


async def test_a_step_that_cannot_be_read_is_named(seeded: Site, page: Page) -> None:
    await open_view(page, seeded, "funnels", "&step=action+%3D+run&step=action+%3D")
    await expect(page.locator("#funnels .said")).to_have_text(
        "The server rejected this: steps[1].where must have a value after 'action ='"
    )


async def test_how_it_is_counted_is_chosen(seeded: Site, page: Page, artifacts: Path) -> None:
    await open_view(page, seeded, "funnels", f"&range=30d{STEPS}")
    more: Json = {"hours": 720}
    for label, option, name, value in (
        ("Count", "users", "by", "user"),
        ("Within", "7 days", "window_minutes", 10_080),
        ("Between", "no other events", "order", "strict"),
        ("Split by", "action", "breakdown", "action"),
    ):
        more[name] = value
        await page.locator("#funnels").get_by_label(label).select_option(label=option)
        await view_shown(page, "funnels")
        assert await rows(page) == written(funnel(seeded, SENT, **more)), label
    groups = funnel(seeded, SENT, **more)["groups"]
    table = page.locator("#funnels .numbers tbody tr")
    assert await table.locator("th").all_inner_texts() == [group["key"] or "(none)" for group in groups]
    cells = await table.first.locator("td").all_inner_texts()
    assert cells == [f"{step['reached']:,} {percent(step['rate_from_first'])}" for step in groups[0]["steps"]]
    await page.screenshot(path=artifacts / "groups.png", full_page=True)
    await page.get_by_role("button", name="24 h").click()
    await view_shown(page, "funnels")
    await page.reload()
    await view_shown(page, "funnels")
    await expect(page.locator("#funnels").get_by_label("Between")).to_have_value("strict")


async def test_filters_are_those_of_the_page(seeded: Site, page: Page) -> None:
    await open_view(page, seeded, "funnels", f"&range=30d&demo_mode=false{STEPS}")
    assert await rows(page) == written(funnel(seeded, SENT, hours=720, filters={"demo_mode": "false"}))
    await page.get_by_label("Data").select_option("all")
    await view_shown(page, "funnels")
    assert await rows(page) == written(funnel(seeded, SENT, hours=720))
    await page.get_by_role("link", name="Overview").click()
    await shown(page)
    await page.get_by_role("link", name="Funnels").click()
    await view_shown(page, "funnels")
    assert len(steps_in(page.url)) == 3


async def test_who_did_not_go_on_leads_to_timelines(tokened: Site, knowing_page: Page, artifacts: Path) -> None:
    page = knowing_page
    await open_view(page, tokened, "funnels", f"&range=30d{STEPS}")
    answer = funnel(tokened, SENT, hours=720)
    ids = answer["steps"][0]["dropped_ids"]
    await page.locator("#funnels summary").first.click()
    buttons = page.locator("#funnels details").first.locator("button")
    assert await buttons.all_inner_texts() == ids
    await buttons.first.click()
    await expect(page.locator("#timeline-title")).to_have_text(f"Session {ids[0]}")
    await expect(page.locator("#timeline .event").first).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(buttons.first).to_be_focused()
    await page.screenshot(path=artifacts / "dropped.png")


async def test_the_token_is_asked_for_and_the_view_shown(tokened: Site, page: Page) -> None:
    await page.goto(f"{tokened.running.url}/?view=funnels&range=30d{STEPS}")
    await expect(page.locator("#sign-in-key")).to_be_focused()
    await expect(page.locator("#funnels")).to_be_hidden()
    await page.locator("#sign-in-key").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#funnels .funnel")).to_be_visible()
    assert await rows(page) == written(funnel(tokened, SENT, hours=720))
    assert await page.locator("#overview").is_hidden()


async def test_a_refusal_that_comes_after_the_token_does_not_call_it_wrong(tokened: Site, page: Page) -> None:
    """The page asked without a token, and had the rest of that refusal when it had the token already."""
    await page.add_init_script(HELD)
    async with page.expect_response("**/api/analytics/funnels"):
        await page.goto(f"{tokened.running.url}/?view=funnels&range=30d{STEPS}")
    await expect(page.locator("#sign-in-key")).to_be_focused()
    await page.locator("#sign-in-key").fill(TOKEN)
    await page.keyboard.press("Enter")
    await expect(page.locator("#sign-in-panel")).to_be_hidden()
    await page.evaluate("release()")
    await expect(page.locator("#funnels .funnel")).to_be_visible()
    assert await rows(page) == written(funnel(tokened, SENT, hours=720))


async def test_nothing_found_an_old_server_and_too_slow(seeded: Site, page: Page) -> None:
    await open_view(page, seeded, "funnels", "&step=event_type+%3D+nobody&step=action+%3D+run")
    await expect(page.locator("#funnels .outcome")).to_contain_text("No sessions reached the first step")
    await page.route("**/api/analytics/funnels", answer_404)
    await page.get_by_role("button", name="24 h").click()
    await expect(page.locator("#funnels .said")).to_contain_text("too old to answer that")
    await check_accessible(page)
    await page.unroute("**/api/analytics/funnels")
    await page.get_by_role("button", name="Refresh").click()
    await expect(page.locator("#funnels .said")).to_be_hidden()


async def test_it_fits_a_phone_in_both_schemes(seeded: Site, browser: Browser, artifacts: Path) -> None:
    for scheme in ("light", "dark"):
        context = await browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740})
        page = await context.new_page()
        await open_view(page, seeded, "funnels", f"&range=30d&breakdown=action{STEPS}&{LONG}")
        await page.get_by_role("button", name="Add a condition to step 1").click()
        await check_accessible(page)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await page.screenshot(path=artifacts / f"{scheme}.png", full_page=True)
        await context.close()
