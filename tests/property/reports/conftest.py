"""Questions about raw events find them as rows, in files, and in both, by turns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest
from duckdb import DuckDBPyConnection

import service.archive.answerer
from service.archive.parts import parts_of
from service.archive.source import Part
from tests.support.archive_parts import LAYOUTS, spread


@pytest.fixture(autouse=True, scope="module")
def _events_are_anywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    layouts = cycle(LAYOUTS)
    folder = tmp_path_factory.mktemp("parts")

    def spread_parts(connection: DuckDBPyConnection, *given: Any) -> list[Part]:
        found = parts_of(connection, *given)
        layout = next(layouts)
        return [part for one in found for part in spread(connection, one.relation, Path(mkdtemp(dir=folder)), layout)]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(service.archive.answerer, "parts_of", spread_parts)
        yield
