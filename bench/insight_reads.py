"""Reads over HTTP that the projection or an index answers. None of them scans the raw events of a range."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from urllib.parse import quote

from bench.ground import WEB, Grounds
from bench.processes import running, serving
from bench.reads import TIMEOUT_SECONDS, Reads, get
from bench.rows import MILLISECONDS, Row, in_turns, most
from projections.projector import catch_up

TIMES = (1, 10)
MOST_MS = 10
# Paths below /api/analytics, and the milliseconds that each should take at most.
PATHS: dict[str, float | None] = {
    "trends?metric=users&interval=day": MOST_MS,
    "trends?metric=visitors&interval=hour": MOST_MS,
    "trends?metric=new_users&interval=week": MOST_MS,
    "trends?metric=sessions&interval=day&tz=Asia/Kathmandu&compare=previous": MOST_MS,
    "trends?metric=events&interval=day&by=event_type": MOST_MS,
    "summary?hours=168&compare=previous": MOST_MS,
    "top?by=tool_name": MOST_MS,
    "sessions/{session}": MOST_MS,
    "users/{user}": MOST_MS,
    # No goal, because cohorts read a row for each user in each quarter of an hour.
    "cohorts?interval=day&hours=168": None,
}


async def measure(grounds: Grounds) -> list[Row]:
    """Measure each path at each size, with nothing left to fold."""
    return [row for times in TIMES for row in await _measured(grounds, times)]


async def _measured(grounds: Grounds, times: int) -> list[Row]:
    ground = await grounds.of(WEB, times=times)
    await catch_up(ground.database)
    with ExitStack() as opened:
        opened.enter_context(running(ground, "projections", "follow"))
        port, _ = opened.enter_context(serving(ground, "service", "http"))
        names = _names(port)
        reads = {path: Reads(port, _address(path.format(**names)), ground.size.requests) for path in PATHS}
        found = await in_turns(ground.size.runs, {path: read.step for path, read in reads.items()})
    size = f"{ground.size.events:,} events stored"
    return [
        Row(f"GET {path}, {size}", MILLISECONDS, found[path], goal=None if goal is None else most(goal))
        for path, goal in PATHS.items()
    ]


def _address(path: str) -> str:
    return f"/api/analytics/{path}"


def _names(port: int) -> dict[str, str]:
    """Return a session and a user of the log, quoted for a path."""
    with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)) as connection:
        listed = get(connection, _address("track?hours=168&limit=1&total=0&where=user_id%20exists"))
    (event,) = json.loads(listed)["events"]
    return {"session": quote(event["session_id"]), "user": quote(event["user_id"])}
