"""A log with days before the horizon, kept days, and days that still take events, on one shard or eight."""

from __future__ import annotations

from pathlib import Path

import pytest_asyncio

from tests.support.history import Past, a_past
from tests.support.sharded import Sharded


@pytest_asyncio.fixture
async def past_days(sharded: Sharded, tmp_path: Path) -> Past:
    """Give a log whose days 0 to 3 are closed; nothing of it is in the archive yet."""
    return await a_past(sharded, tmp_path / "archive")
