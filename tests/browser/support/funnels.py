"""The funnel view, and what it must show."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from playwright.async_api import Page

from tests.http.support.site import Json, Site

DAY = timedelta(days=1)


def funnel(site: Site, steps: list[Json], **more: object) -> Json:
    """Return the answer to a funnel question; assert that it is 200."""
    answer = site.client.post("/api/analytics/funnels", json={"steps": steps, **more})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def percent(value: float | None) -> str:
    """Return a share as browsers write it: with one decimal, and halves rounded up."""
    if value is None:
        return "\N{EN DASH}"
    rounded = Decimal(str(value)).scaleb(2).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{rounded}".removesuffix(".0") + "%"


def depths(events: list[Json], since: datetime, steps: list[Callable[[Json], bool]]) -> list[int]:
    """Return how many sessions reached each step, counted by trying every start."""
    by_session: dict[str, list[Json]] = defaultdict(list)
    for event in events:
        if event["timestamp"] >= since:
            by_session[event["session_id"]].append(event)
    deepest = [max(_depth(found[start:], steps) for start in range(len(found))) for found in by_session.values()]
    return [sum(depth > place for depth in deepest) for place in range(len(steps))]


def _depth(events: list[Json], steps: list[Callable[[Json], bool]]) -> int:
    depth = 0
    for event in events:
        if event["timestamp"] - events[0]["timestamp"] > DAY:
            break
        if depth == 0 and event is not events[0]:
            break
        if depth < len(steps) and steps[depth](event):
            depth += 1
    return depth


async def rows(page: Page) -> list[str]:
    """Return the number and the rate of each step."""
    return await page.locator("#funnels .funnel .bar-number").all_inner_texts()


def written(answer: Json) -> list[str]:
    return [f"{step['reached']:,} · {percent(step['rate_from_first'])}" for step in answer["steps"]]
