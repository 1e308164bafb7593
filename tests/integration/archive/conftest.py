"""Fixtures for tests of the archive: an engine whose children answer the questions of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from service.archive.engine import Engine
from tests.support.archive_questions import COMMAND

# How long a question may take on a busy machine, the start of a child included.
PATIENCE = 120


@contextmanager
def within(engine: Engine, seconds: int) -> Iterator[None]:
    """Allow questions only so much time during the block."""
    usual, engine._seconds = engine._seconds, seconds
    yield
    engine._seconds = usual


@pytest.fixture
def archive_folder(tmp_path: Path) -> Path:
    """Give the folder of the archive's files."""
    return tmp_path / "archive"


@pytest_asyncio.fixture
async def engine(database_url: str, archive_folder: Path, tmp_path: Path) -> AsyncIterator[Engine]:
    """Give an engine on the test's database."""
    engine = Engine(database_url, archive_folder, tmp_path, seconds=PATIENCE, command=COMMAND)
    yield engine
    await engine.close()
