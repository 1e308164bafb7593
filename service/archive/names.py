"""Names that were refused: numbers count their events as (other), as counted_name.sql does for the projection.

Events keep their names: conditions, funnels and lists see them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from duckdb import CaseExpression, CoalesceOperator, DuckDBPyConnection, DuckDBPyRelation, Expression

from service.archive.disk_share import DiskShare
from service.archive.json_text import any_of, constant
from service.archive.snapshot import Stretch
from service.archive.streams import column
from sql.archive.rows import copy_rows, read_rows
from sql.database import Session
from sql.hourly import OTHER
from sql.statements import load

# What the rows of copy_admitted_names.sql have.
_TYPES = {"shard": "INTEGER", "kind": "VARCHAR", "name": "VARCHAR", "position": "BIGINT"}
_FILE = "admitted-names.csv"
# The most bytes of that file. What live events bring in, admit_names.sql bounds to fewer; imports may bring more.
_MOST_BYTES = 1_000_000_000
# What says under which name an event counts, beside the name.
_COLUMNS = frozenset({"shard", "position"})


@dataclass(frozen=True, slots=True)
class RefusedNames:
    """Where names were refused, and which were admitted, as a snapshot has it.

    stretches: by kind a shard, and the first and the last position between which names were refused; the last is None
    while more may be. admitted: the file of the names that count under themselves.
    """

    stretches: dict[str, tuple[tuple[int, int, int | None], ...]] = field(default_factory=dict)
    admitted: Path | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns of events that tell whether a name was admitted; none when none was refused."""
        return _COLUMNS if self.stretches else frozenset()

    def opened(self, connection: DuckDBPyConnection) -> CountedNames:
        """Return what counts events. Runs in DuckDB's thread."""
        if self.admitted is None:
            return EVERY_NAME
        return CountedNames(self, read_rows(connection, self.admitted, _TYPES))

    def remove(self) -> None:
        """Remove the file."""
        if self.admitted is not None:
            self.admitted.unlink(missing_ok=True)


NOTHING_REFUSED = RefusedNames()


@dataclass(frozen=True, slots=True)
class CountedNames:
    """Counts events under names. admitted: the names that count under themselves, None when all do."""

    refused: RefusedNames = NOTHING_REFUSED
    admitted: DuckDBPyRelation | None = None

    @property
    def columns(self) -> frozenset[str]:
        """The columns of events that it looks at, beside their names."""
        return self.refused.columns

    def counted(self, events: DuckDBPyRelation, kinds: Sequence[str]) -> DuckDBPyRelation:
        """Return events with (other) in the place of each name of some kinds that was refused."""
        for kind in kinds:
            if self.admitted is not None and kind in self.refused.stretches:
                events = self._counted(events, kind, self.admitted)
        return events

    def _counted(self, events: DuckDBPyRelation, kind: str, admitted: DuckDBPyRelation) -> DuckDBPyRelation:
        known = admitted.filter(column("kind") == constant(kind)).select(
            column("shard").alias("known_shard"),
            column("name").alias("known_name"),
            column("position").alias("known_from"),
        )
        same = (column("shard") == column("known_shard")) & (column(kind) == column("known_name"))
        found = events.join(known.set_alias(f"known_{kind}"), same, how="left")
        was_admitted = CoalesceOperator(column("known_from") <= column("position"), constant(False))
        refused = any_of([_is_within(*stretch) for stretch in self.refused.stretches[kind]])
        name = CaseExpression(column(kind).isnotnull() & refused & ~was_admitted, constant(OTHER))
        counted = name.otherwise(column(kind)).alias(kind)
        return found.select(*(counted if each == kind else column(each) for each in events.columns))


EVERY_NAME = CountedNames()


async def read_refused_names(
    session: Session, shards: Sequence[int], asked: Stretch, kinds: Sequence[str], folder: Path, share: DiskShare
) -> RefusedNames:
    """Return the refused names among events of shards in a range, as the session's snapshot has them.

    folder: where the file of admitted names goes. share: what it takes its bytes from. Raises DiskFull or ReadTooLarge
    when these are too few.
    """
    rows = await session.rows(load().list_refused_stretches, shards, kinds, asked.since) if kinds else []
    if not rows:
        return NOTHING_REFUSED
    stretches = {
        kind: tuple((row["shard"], row["position"], row["upto"]) for row in rows if row["kind"] == kind)
        for kind in {row["kind"] for row in rows}
    }
    found = RefusedNames(stretches, folder / _FILE)
    of_shards = sorted({row["shard"] for row in rows})
    try:
        most = share.bounded(_MOST_BYTES)
        with share.named(0, rows=_MOST_BYTES):
            query = load().copy_admitted_names
            share.left -= await copy_rows(session, folder / _FILE, query, of_shards, sorted(stretches), most=most)
    except BaseException:
        found.remove()
        raise
    return found


def _is_within(shard: int, first: int, last: int | None) -> Expression:
    position = column("position")
    within = (column("shard") == constant(shard)) & (position >= constant(first))
    return within if last is None else within & (position <= constant(last))
