"""Names and limits are the same in JavaScript and Python, and the page offers only what the service takes."""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from playwright.async_api import Page, expect

from service.questions import buckets, conditions, filters, hours, ranges, segments
from service.reports import cohorts, funnel_body, measured, trend_question
from sql import hourly
from tests.browser.support.insights import open_view
from tests.http.support.site import HOUR, Site

VISIT_METRICS = {trend_question.PAGE_VIEWS, *measured.VISIT_METRICS}
EXPORTS = """async (path) => ({ ...await import(path) })"""
STATE = """async () => {
  const { RANGES, VIEWS, HOUR, read, hoursOf } = await import("/assets/core/state.js");
  return { ranges: [...RANGES.values()], hour: HOUR, state: read("?view=funnels"), hours: hoursOf(read("")) };
}"""
VALUES = "all => all.map(option => option.value)"


def choices(field: str) -> tuple[str, ...]:
    """Return the values that a field of a funnel's body may have."""
    return get_args(get_type_hints(funnel_body.FunnelBody)[field])


def defined() -> dict[str, Any]:
    """Return the right exports of core/definitions.js; a set where the page has its own order."""
    return {
        "METRICS": set(hourly.METRICS),
        "VISIT_METRICS": VISIT_METRICS,
        "DIMENSIONS": list(hourly.DIMENSIONS),
        "TOP_DIMENSIONS": set(hourly.DIMENSIONS) - {"demo_mode"},
        "FIELDS": set(conditions.FIELDS),
        "FILTERS": set(filters.NAMES - {"where"}),
        "UNARY": list(conditions.UNARY),
        "ORDERINGS": list(conditions.ORDERINGS),
        "OPERATORS": set(conditions.OPERATORS),
        "STEP_NAMES": list(funnel_body.NAMED),
        "ACTORS": list(choices("by")),
        "ORDERS": list(choices("order")),
        "INTERVALS": list(cohorts.INTERVALS),
        "OWNERS": list(cohorts.OWNERS),
        "RETENTIONS": list(cohorts.RETENTIONS),
        "COMPARISONS": list(buckets.COMPARISONS),
        "PROOF_STATES": list(hourly.STATES),
        "FAILED_STATES": list(hourly.FAILED),
        "MOST_HOURS": hours.MOST_HOURS,
        "MOST_STEPS": funnel_body.MOST_STEPS,
        "LONGEST_SEGMENT_NAME": segments.LONGEST_NAME,
        "LONGEST_VIEW_NAME": segments.LONGEST_NAME,
    }


async def test_the_definitions_are_those_of_the_service(site: Site, page: Page) -> None:
    await page.goto(site.running.url)
    expected = defined()
    found = await page.evaluate(EXPORTS, "/assets/core/definitions.js")
    unordered = {name: set(value) if isinstance(expected.get(name), set) else value for name, value in found.items()}
    assert unordered == expected
    assert {name: len(value) for name, value in found.items() if isinstance(value, list)} == {
        name: len(value) for name, value in expected.items() if isinstance(value, list | set)
    }


async def test_what_the_page_offers_is_what_the_service_takes(seeded: Site, page: Page) -> None:
    await page.goto(seeded.running.url)
    state = await page.evaluate(STATE)
    assert state["hour"] == HOUR.total_seconds() * 1_000
    assert max(state["ranges"]) <= hours.MOST_HOURS
    assert int(state["state"]["options"]["funnels"]["window"]) == funnel_body.FunnelBody(steps=()).window_minutes
    assert await values(page, "#compare option") == [*buckets.COMPARISONS, "custom"]
    assert set(await values(page, "#calendar option")) - {""} <= set(ranges.RANGES)
    assert await values(page, "#by option") == ["", *hourly.DIMENSIONS]
    assert await values(page, "#demo-mode option") == ["", "false", "true"]
    cards = await page.locator(".card").evaluate_all("all => all.map(card => card.id)")
    assert {card.removeprefix("card-") for card in cards} == {*hourly.METRICS, *VISIT_METRICS, "now"}
    await open_view(page, seeded, "funnels")
    assert await offered(page, "funnels", "per") == list(choices("by"))
    assert await offered(page, "funnels", "order") == list(choices("order"))
    windows = [int(value) for value in await offered(page, "funnels", "window")]
    assert 1 <= min(windows) <= max(windows) == funnel_body.MOST_MINUTES
    assert set(await values(page, "#funnels select[name=breakdown] > option")) <= {"", *hourly.DIMENSIONS}
    await open_view(page, seeded, "retention")
    assert await offered(page, "retention", "per") == list(cohorts.OWNERS)
    assert await offered(page, "retention", "interval") == list(cohorts.INTERVALS)
    assert await offered(page, "retention", "retention") == list(cohorts.RETENTIONS)


async def offered(page: Page, view: str, name: str) -> list[str]:
    """Return the values that a view offers for an option."""
    return await values(page, f"#{view} select[name={name}] option")


async def values(page: Page, options: str) -> list[str]:
    await expect(page.locator(options).first).to_be_attached()
    return list(await page.locator(options).evaluate_all(VALUES))
