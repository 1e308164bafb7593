"""Folders for the embedded server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sql.embedded import share
from tests.support.embedded import made_place, servers_of


@pytest.fixture
def place() -> Iterator[Path]:
    with made_place() as place:
        yield place


@pytest.fixture(scope="package")
def made_data() -> Iterator[Path]:
    with made_place() as place:
        share.release(share.use(place / "data"))
        yield place / "data"


@pytest.fixture
def data(made_data: Path) -> Iterator[Path]:
    """Give a data directory that a server has used before; stop any server at the end."""
    yield made_data
    if servers_of(made_data):
        share.release(share.use(made_data))
