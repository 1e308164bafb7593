"""The list of events: pages with and without an exact total, unfiltered and with one filter."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from bench.ground import WEB, Grounds
from bench.processes import running, serving
from bench.reads import TIMEOUT_SECONDS, Reads, get
from bench.rows import MILLISECONDS, Goal, NotCounted, Row, Spread, in_turns, least_ratio, most
from bench.web_data import TOOLS, TYPES
from projections.projector import catch_up

# How many times the events of the other benchmarks are stored.
TIMES = 10
DAY, WEEK = 24, 168
# The number of events on a page of the list.
PAGE = 50
MOST_MATCHES = 10_000
WITHOUT = "the same page, total=0"


class Page(NamedTuple):
    """A page of the list.

    what: its name in the table. asked: its parameters. goal, goal_without: of the median with and without exact total.
    """

    what: str
    asked: dict[str, str | int]
    goal: Goal | None = None
    goal_without: Goal | None = None

    @property
    def path(self) -> str:
        """Return the page's path with an exact total."""
        return f"/api/analytics/track?{urlencode(self.asked)}"

    @property
    def path_without(self) -> str:
        """Return the page's path without a total."""
        return f"{self.path}&total=0"

    def rows(self, found: dict[str, Spread]) -> Iterator[Row]:
        """Yield the page's rows of the table."""
        total, without = found[self.path], found[self.path_without]
        yield Row(f"{self.what}, exact total, median", MILLISECONDS, total, WITHOUT, without, self.goal)
        if self.goal_without is not None:
            yield Row(f"{self.what}, total=0, median", MILLISECONDS, without, goal=self.goal_without)


UNFILTERED = (
    Page("24 hours, limit=50", {"hours": DAY, "limit": PAGE}, least_ratio(1 / 3), most(5)),
    Page("168 hours, limit=50", {"hours": WEEK, "limit": PAGE}, least_ratio(1 / 3), most(5)),
    Page("24 hours, limit=1000 (default)", {"hours": DAY}),
)


async def measure(grounds: Grounds) -> list[Row]:
    """Measure while the projector runs idle."""
    ground = await grounds.of(WEB, times=TIMES)
    await catch_up(ground.database)
    with running(ground, "projections", "follow"), serving(ground, "service", "http") as (port, _):
        pages = [*UNFILTERED, *await asyncio.to_thread(_filtered, port)]
        paths = [path for page in pages for path in (page.path, page.path_without)]
        found = await in_turns(
            ground.size.runs, {path: Reads(port, path, ground.size.requests).step for path in paths}
        )  # fmt: skip
    named = [page._replace(what=f"GET track list, {ground.size.events:,} events stored, {page.what}") for page in pages]
    return [row for page in named for row in page.rows(found)]


def _filtered(port: int) -> list[Page]:
    """Return a page for each filter that has an index, over the longest range with at most MOST_MATCHES matches."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        newest = _answer(connection, hours=WEEK)["events"]
        user = next((event["user_id"] for event in newest if event["user_id"]), None)
        if user is None:
            raise NotCounted("none of the newest events has a user")
        return [
            _longest(connection, "session_id", newest[0]["session_id"]),
            _longest(connection, "user_id", user),
            _longest(connection, "tool_name", str(TOOLS[0])),
            _longest(connection, "event_type", TYPES[-1]),
        ]


def _longest(connection: HTTPConnection, name: str, value: str) -> Page:
    def matches(hours: int) -> int:
        return int(_answer(connection, **{name: value}, hours=hours, limit=1)["total_in_range"])

    hours = bisect_right(range(1, WEEK + 1), MOST_MATCHES, key=matches)
    if not hours or not (found := matches(hours)):
        raise NotCounted(f"no range has up to {MOST_MATCHES:,} events with {name}={value}")
    what = f"{hours} hours, limit={PAGE}, one {name} with {found:,} matches"
    return Page(what, {"hours": hours, "limit": PAGE, name: value}, most(20))


def _answer(connection: HTTPConnection, **asked: str | int) -> Any:
    return msgspec.json.decode(get(connection, f"/api/analytics/track?{urlencode(asked)}"))
