"""Exports are the same to the byte wherever events are, and of one moment whatever leaves meanwhile."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from service.errors import ServiceError
from service.reports import archived_events
from tests.conftest import Servers
from tests.support.exports import FORMATS, begun, exports_of, rest_of
from tests.support.kept_events import STORED, archive_all, hard_events, keep, large_events, late_events, number_over
from tests.support.retired_days import append_all, day, fill
from tests.support.sharded import sharded_log

pytestmark = pytest.mark.versions("newest")


@pytest.mark.parametrize("shards", [1, 3])
async def test_exports_are_the_same_to_the_byte(
    servers: Servers, postgres_version: int, tmp_path: Path, shards: int
) -> None:
    async with sharded_log(servers, postgres_version, shards) as sharded, exports_of(sharded, tmp_path) as exports:
        await fill(sharded, [*hard_events(shards), *large_events()])
        stored = [dict(row) for row in await sharded.admin.fetch(STORED)]

        async def exported(**asked: str) -> bytes:
            async with begun(exports, **asked) as export:
                return await rest_of(export)

        questions: list[dict[str, str]] = [{"format": form, "received_at": "1"} for form in FORMATS]
        questions.append({"format": "ndjson", "where": "event_type = odd and properties.n > 4"})
        before = [await exported(**asked) for asked in questions]
        ids = [msgspec.json.decode(line)["event_id"] for line in before[-1].splitlines()]
        assert ids == [event["event_id"] for event in stored if event["event_type"] == "odd" and number_over(event, 4)]
        await archive_all(sharded, tmp_path)
        for number in (1, 9):
            await keep(sharded, number, tmp_path)
            for asked, content in zip(questions, before, strict=True):
                assert hashlib.sha256(await exported(**asked)).digest() == hashlib.sha256(content).digest(), asked


async def test_an_export_is_of_one_moment_whatever_leaves_or_comes(
    servers: Servers, postgres_version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archived_events, "AT_A_TIME", 5)
    async with sharded_log(servers, postgres_version, 1) as sharded, exports_of(sharded, tmp_path) as exports:
        await fill(sharded, hard_events(1))
        await archive_all(sharded, tmp_path)
        await keep(sharded, 1, tmp_path)
        stored = [row["event_id"] for row in hard_events_in_order()]
        async with begun(exports, format="ndjson") as export:
            first = await anext(export.blocks)
            # Kept days leave for good, and an event comes.
            await sharded.admin.execute("update archived_days set stage = 'leaving'")
            await append_all(sharded, late_events((9,)), clock=day(10))
            content = first.content + await rest_of(export)
        assert [msgspec.json.decode(line)["event_id"] for line in content.splitlines()] == stored


def hard_events_in_order() -> list[dict[str, Any]]:
    events = [event._asdict() for event in hard_events(1)]
    return sorted(events, key=lambda event: (event["timestamp"], event["event_id"]))


async def test_an_export_of_a_damaged_file_breaks_off(servers: Servers, postgres_version: int, tmp_path: Path) -> None:
    async with sharded_log(servers, postgres_version, 1) as sharded, exports_of(sharded, tmp_path) as exports:
        await fill(sharded, hard_events(1))
        await archive_all(sharded, tmp_path)
        await keep(sharded, 1, tmp_path)
        await asyncio.to_thread(lose, tmp_path)
        async with begun(exports, format="ndjson") as export:
            with pytest.raises(ServiceError, match="damaged or missing"):
                await rest_of(export)


def lose(archive: Path) -> None:
    """Delete a file of day 0."""
    (file,) = archive.rglob(f"day={day(0):%Y-%m-%d}/*T07*")
    file.unlink()
