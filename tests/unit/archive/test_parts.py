"""Many files become few parts, because each part is planned by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import duckdb

from service.archive.checked_files import CheckedFiles
from service.archive.parts import MOST_ALIKE, parts_of
from service.archive.snapshot import ArchivedFile, Plan, Stretch
from sql.archive.files import STRING, PropertyColumn, file_name, property_column

START = datetime(2025, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLAN, PATH = property_column("plan", STRING), property_column("path", STRING)


def parts(folder: Path, *columns: tuple[PropertyColumn, ...]) -> list[tuple[tuple[PropertyColumn, ...], list[int]]]:
    """Return the columns and the days of each part of files, one a day, each with these columns and one event."""
    files = []
    with duckdb.connect() as duck:
        for number, of_file in enumerate(columns):
            day = START + number * DAY
            name = file_name(0, day, day=True, digest="0" * 64)
            (folder / name).parent.mkdir(parents=True)
            named = "".join(f", 'x' as \"{each.column}\"" for each in of_file)
            duck.sql(f"select {number} as day{named}").write_parquet(str(folder / name))
            files.append(ArchivedFile(name, 0, 1, of_file, (Stretch(day, day + DAY),), is_whole=True, long_numbers=0))
        plan = Plan(Stretch(START, START + len(files) * DAY), tuple(files), ())
        return [
            (part.columns, [day for (day,) in part.relation.project("day").fetchall()])
            for part in parts_of(duck, CheckedFiles(folder, Event()), plan, None)
        ]


def test_the_order_of_columns_makes_no_parts(tmp_path: Path) -> None:
    found = parts(tmp_path, (PLAN, PATH), (PATH, PLAN), (PLAN, PATH))
    assert {columns for columns, _ in found} == {(PATH, PLAN)}
    assert [day for _, days in found for day in days] == [0, 1, 2]


def test_files_with_ever_other_columns_are_read_by_those_that_they_share(tmp_path: Path) -> None:
    others = [(PLAN, property_column(f"p{number}", STRING)) for number in range(9)]
    found = parts(tmp_path, (PATH,), (PATH,), *others)
    assert len({columns for columns, _ in found}) == MOST_ALIKE
    assert {(PATH,), (PLAN,)} <= {columns for columns, _ in found}
    assert sorted(day for _, days in found for day in days) == list(range(11))
    assert all(days == sorted(days) for _, days in found)
