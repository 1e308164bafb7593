"""What one snapshot of PostgreSQL says about a question: which files hold its events, and which events to read as rows.

The transaction of the snapshot must stay open until the answer is done, because only then do the files stay.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from service.archive.protocol import Row
from service.errors import ArchiveDamaged, NotReady
from service.questions.conditions import PROPERTIES
from service.questions.hours import FIRST
from sql.archive.files import DERIVED, PropertyColumn
from sql.database import Session
from sql.statements import load

# Fields whose values copy_events.sql can look for, in its order.
FIELDS_WITH_VALUES = ("event_type", "session_id", "user_id", "tool_name", "action")
# No text that PostgreSQL stores has it, nor does its JSON.
NUL = "\0"

_columns = msgspec.json.Decoder(list[PropertyColumn])


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time: [since, until)."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file to read. current: the hours that it holds as they were appended. is_whole: whether these are all it holds.

    long_numbers: how many of its events may have a number of more digits than a double keeps.
    """

    file: str
    shard: int
    events: int
    columns: tuple[PropertyColumn, ...]
    current: tuple[Stretch, ...]
    is_whole: bool
    long_numbers: int


@dataclass(frozen=True, slots=True)
class Gap:
    """A time of a shard whose events are rows."""

    shard: int
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the events of a range are."""

    range: Stretch
    files: tuple[ArchivedFile, ...]
    gaps: tuple[Gap, ...]

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return [each.file for each in self.files]


async def shards_of(session: Session, asked: Sequence[int] | None) -> list[int]:
    """Return the shards that are asked for, all for None. Raises NotReady before the first migration."""
    shards = [row["shard"] for row in await session.rows(load().list_shards)] if asked is None else [*asked]
    if not shards:
        raise NotReady("the database has no shards yet; run make migrate")
    return shards


async def read_plan(session: Session, shards: Sequence[int], asked: Stretch, wrong: Collection[str]) -> Plan:
    """Return where the events of shards in a range are. wrong: files that cannot be read.

    Raises ArchiveDamaged when only such a file had some of the events.
    """
    rows = await session.rows(load().list_files_to_read, shards, asked.since, asked.until, list(wrong))
    files = tuple(
        ArchivedFile(
            row["file"],
            row["shard"],
            row["events"],
            tuple(_columns.decode(row["property_columns"])),
            tuple(map(Stretch, row["since"], row["until"])),
            row["is_whole"],
            row["long_numbers"],
        )
        for row in rows
    )
    gaps = tuple(gap for shard in shards for gap in _gaps(shard, asked, files))
    await _check_gaps(session, gaps)
    return Plan(asked, files, gaps)


def _gaps(shard: int, asked: Stretch, files: Sequence[ArchivedFile]) -> Iterator[Gap]:
    """Give the times of a shard that no file holds."""
    held = sorted(
        (stretch for file in files if file.shard == shard for stretch in file.current), key=lambda each: each.since
    )
    since = asked.since
    for stretch in held:
        if since < stretch.since and since < asked.until:
            yield Gap(shard, since, min(stretch.since, asked.until))
        since = max(since, stretch.until)
    if since < asked.until:
        yield Gap(shard, since, asked.until)


async def _check_gaps(session: Session, gaps: Sequence[Gap]) -> None:
    """Raise ArchiveDamaged when the log has no rows, either, of hours that were archived."""
    lost = await session.rows(load().list_lost_files, *_arrays(gaps)) if gaps else []
    for file in lost:
        first, last = (f"{hour:%Y-%m-%dT%H:00Z}" for hour in (file["hours"][0], file["hours"][-1]))
        raise ArchiveDamaged(
            f"the archive's file {file['file']} is damaged or missing, and the database has no rows of its hours"
            f" ({first} to {last}): whoever runs the service must restore it from a backup"
        )


def _arrays(gaps: Sequence[Gap]) -> tuple[list[int], list[datetime], list[datetime]]:
    return [gap.shard for gap in gaps], [gap.since for gap in gaps], [gap.until for gap in gaps]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events to read as rows, and what of them.

    columns: those that the question needs. texts: paths at which each event must have one of some texts.
    property_names: the names at the top level of properties that the question looks at; None for all.
    """

    columns: Collection[str]
    texts: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    property_names: Collection[str] | None = None


def rows_query(gaps: Sequence[Gap], selection: Selection) -> tuple[str, list[object]]:
    """Return the statement that reads the events of gaps, and its arguments."""
    # A range of no length has no gaps.
    since = min((gap.since for gap in gaps), default=FIRST)
    until = max((gap.until for gap in gaps), default=FIRST)
    names = selection.property_names
    return load().copy_events, [
        *_arrays(gaps),
        since,
        until,
        [DERIVED.get(name, name) for name in selection.columns],
        *(_list_or_none(selection.texts.get((name,))) for name in FIELDS_WITH_VALUES),
        all((gap.since, gap.until) == (since, until) for gap in gaps),
        *_found_in_properties(selection.texts),
        next(iter(names)) if names is not None and len(names) == 1 else None,
    ]


def _list_or_none(texts: tuple[str, ...] | None) -> list[str] | None:
    return None if texts is None else list(texts)


def _found_in_properties(texts: Mapping[tuple[str, ...], tuple[str, ...]]) -> tuple[str | None, str | None]:
    """Return a predicate of jsonpath that one of the texts is at a path in properties, and its variables.

    In lax mode jsonpath has the same rules as service/archive/json_text.py: a list stands for its elements.
    """
    for path, wanted in texts.items():
        if path[0] == PROPERTIES and NUL not in "".join((*path, *wanted)):
            steps = "".join("." + msgspec.json.encode(name).decode() for name in path[1:])
            return f"${steps} == $texts[*]", msgspec.json.encode({"texts": wanted}).decode()
    return None, None


async def read_standings(session: Session, shards: Sequence[int]) -> list[Row]:
    """Return the rows with which a trend says where each of some shards stands."""
    rows = await session.rows(load().list_standings, shards)
    return [{"bucket": None, "measure": row["measure"], "key": None, "amount": row["amount"]} for row in rows]
