"""One place lists every query, and the service fails at start when the list does not match the files."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from sql.statements import QUERIES, load


def test_every_query_is_listed() -> None:
    assert set(asdict(load())) == {path.stem for path in QUERIES.rglob("*.sql")}


def test_a_query_that_is_not_listed_or_not_there_fails(tmp_path: Path) -> None:
    folder = shutil.copytree(QUERIES, tmp_path / "queries")
    (folder / "more.sql").write_text("select 1")
    with pytest.raises(ValueError, match=r"not listed in sql/statements.py: more$"):
        load(folder)
    (folder / "more.sql").unlink()
    (folder / "verify" / "list_hours.sql").unlink()
    with pytest.raises(FileNotFoundError, match=r"list_hours\.sql"):
        load(folder)
