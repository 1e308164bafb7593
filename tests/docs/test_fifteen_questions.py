"""Each request of docs/questions.md finds something in the demo's story."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from service.demo.fill import Demo, fill
from service.settings import load
from tests.conftest import Servers
from tests.docs.pages import ROOT
from tests.http.support.site import Json, Site, new_site

TEXT = (ROOT / "docs" / "questions.md").read_text()
ROWS = [line.split(" | ")[1] for line in TEXT.splitlines() if line.endswith(" |") and "`" in line]
READS = [read for row in ROWS for read in re.findall(r"`(/api/[^`]*)`", row)]
FUNNEL = [json.loads(step) for row in ROWS if "POST" in row for step in re.findall(r"`({[^`]*})`", row)]


@pytest_asyncio.fixture(name="shop", scope="module")
async def _shop(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service with the events of the demo, up to now."""
    async with new_site(servers, folder, HOURLEDGER_EVENT_RETENTION_DAYS="30") as site:
        settings = load({"HOURLEDGER_DATA_DIR": str(site.data_dir), "HOURLEDGER_EVENT_RETENTION_DAYS": "30"})
        await fill(settings, site.database_url, Demo(4_000, 7, 28, datetime.now(UTC), trickle=False))
        site.client.put("/api/analytics/goals/sign-up", json={"event_type": "signed_up"}).raise_for_status()
        yield site


def found(answer: Json) -> object:
    """Return what an answer says: rows, or the number that it is about."""
    lists = [answer[name] for name in ("rows", "groups", "cohorts", "next") if answer.get(name) is not None]
    return lists[0] if lists else answer.get("visitors") or answer.get("buckets")


def test_there_are_fifteen_questions() -> None:
    assert len(ROWS) == 15
    assert len(FUNNEL) == 3


@pytest.mark.parametrize("read", READS)
def test_a_question_has_an_answer(shop: Site, read: str) -> None:
    answer = shop.client.get(read)
    assert answer.status_code == 200, answer.text
    assert found(answer.json()), answer.text


def test_the_funnel_has_an_answer(shop: Site) -> None:
    answer = shop.client.post("/api/analytics/funnels", json={"steps": FUNNEL, "range": "last_30_days"})
    assert answer.status_code == 200, answer.text
    assert [step["reached"] > 0 for step in answer.json()["steps"]] == [True, True, True]
