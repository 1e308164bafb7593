"""The pages to which visits go from a page, or from which they come, as a tree."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from service.archive.checks import filter_checks
from service.archive.path_questions import Paths as Question
from service.archive.protocol import Row
from service.questions.filters import NAMES
from service.questions.hours import time_text
from service.questions.parameters import choice, invalid, parse, whole
from service.questions.ranges import OF_RANGE, closed_range
from service.questions.segments import Segments
from service.reports.raw_events import RawEvents

DEFAULT_HOURS = 168
MOST_DEPTH = 4
DEFAULT_LIMIT = 5
MOST_PAGES = 20
DIRECTIONS = ("next", "previous")
PARAMETERS = NAMES | OF_RANGE | {"from_page", "direction", "depth", "limit"}


class Paths:
    """Answers `GET /api/analytics/paths`."""

    def __init__(self, raw_events: RawEvents, segments: Segments, clock: Callable[[], datetime]) -> None:
        self._raw_events = raw_events
        self._segments = segments
        self._clock = clock

    async def page(self, query: bytes) -> dict[str, Any]:
        """Return the tree of pages from a page on. Raises ServiceError."""
        given = parse(query, PARAMETERS)
        page = given.get("from_page")
        if not page:
            raise invalid("from_page", "must be the path of a page, such as /pricing")
        direction = choice(given, "direction", DIRECTIONS, "next")
        depth = whole(given, "depth", MOST_DEPTH, MOST_DEPTH)
        most = whole(given, "limit", DEFAULT_LIMIT, MOST_PAGES)
        since, until = closed_range(given, DEFAULT_HOURS, self._clock())
        checks = filter_checks(await self._segments.filters(given))
        question = Question(
            checks=checks,
            since=since,
            until=until,
            page=page,
            backwards=direction == "previous",
            depth=depth,
            most=most,
        )
        answer, kept_since = await self._raw_events.ask_of_kept(question)
        return {
            "ok": True,
            "direction": direction,
            "from": time_text(kept_since),
            "to": time_text(until),
            "source": answer.source,
            **tree(answer.rows, page, depth),
        }


def tree(rows: Sequence[Row], page: str, depth: int) -> dict[str, Any]:
    """Return the rows of sql/archive/paths.sql as a tree. A path of `depth` steps is not followed further."""
    nodes: dict[tuple[str, ...], dict[str, Any]] = {(page,): _node(page, 0, 0)}
    for row in rows:
        path = tuple(row["pages"])
        nodes[path] = _node(path[-1], row["visits"], row["ended"])
        if len(path) > 1:
            nodes[path[:-1]]["next"].append(nodes[path])
    for path, node in nodes.items():
        followed = node["left"] + sum(each["visits"] for each in node["next"])
        node["other"] = node["visits"] - followed if len(path) <= depth else 0
    return nodes[page,]


def _node(page: str, visits: int, ended: int) -> dict[str, Any]:
    """Return a page of the tree. left: visits that end with it, or begin with it when the tree goes backwards."""
    return {"page": page, "visits": visits, "next": [], "other": 0, "left": ended}
