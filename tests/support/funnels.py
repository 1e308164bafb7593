"""Ask for funnels without HTTP, and check the answers against the oracle."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec
import pytest

from service.reports.funnel_body import FunnelBody
from service.reports.funnels import Funnels
from sql.database import Database
from tests.support import funnel_oracle
from tests.support.funnel_oracle import Json, Stored
from tests.support.log import NOW
from tests.support.reads import Reads, reads

FIELDS = ["ok", "by", "steps", "source", "from", "to"]


@asynccontextmanager
async def funnels(database: Database, url: str) -> AsyncIterator[Funnels]:
    """Give the funnels of a database at the time NOW; answers name ids, as after a request with a token."""
    async with reads(database, url) as found:
        yield funnels_on(found)


def funnels_on(found: Reads) -> Funnels:
    """Return the funnels among the reads of a database."""
    return Funnels(found.raw_events, found.segments, found.goals, lambda: NOW)


async def ask(found: Funnels, asked: Json) -> Json:
    steps = [step | {"where": where_text(step.get("where", ""))} for step in asked["steps"]]
    return await found.answer(msgspec.convert(asked | {"steps": steps}, FunnelBody), names_ids=True)


def where_text(where: str | Sequence[Json]) -> str:
    """Return conditions as text; the oracle's {field, op, value} objects are converted."""
    return where if isinstance(where, str) else " and ".join(_condition_text(**test) for test in where)


def _condition_text(field: str, op: str, value: object = None) -> str:
    texts = [json.dumps(each) for each in (value if isinstance(value, list) else [value])]
    written = {"in": f"({', '.join(texts)})", "exists": "", "missing": ""}.get(op, texts[0])
    return f"{field} {op} {written}"


def in_range(asked: Json, since: datetime, until: datetime) -> Json:
    """Return the question, limited to a range."""
    return asked | {"from": since.isoformat(), "to": until.isoformat()}


def check(answer: Json, asked: Json, events: Sequence[Stored]) -> None:
    """Fail unless the answer is what the oracle counts over the events in range."""
    expected = funnel_oracle.runs(events, asked)
    length = len(asked["steps"])
    with_groups = "breakdown" in asked
    assert list(answer) == [*FIELDS[:3], *(["groups"] if with_groups else []), *FIELDS[3:]]
    assert (answer["ok"], answer["by"], answer["source"]) == (True, asked.get("by", "session"), "events")
    same(answer["steps"], funnel_oracle.steps(list(expected.values()), length))
    for step, ids in zip(answer["steps"], funnel_oracle.dropped_ids(expected, length), strict=True):
        assert len(step["dropped_ids"]) == min(len(ids), 100)
        assert set(step["dropped_ids"]) <= ids
    if with_groups:
        groups = funnel_oracle.groups(expected, asked)
        assert [group["key"] for group in answer["groups"]] == [group["key"] for group in groups]
        for group, one in zip(answer["groups"], groups, strict=True):
            same(group["steps"], one["steps"])


def same(found: list[dict[str, Any]], expected: list[Json]) -> None:
    for step, one in zip(found, expected, strict=True):
        told = {name: value for name, value in step.items() if name != "dropped_ids"}
        assert told == pytest.approx(one)
