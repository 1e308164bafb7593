"""The archive's files: their columns and their names. See docs/archive.md and R10."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

# What every file has, in this order, and DuckDB's type of each. Columns of properties follow.
COLUMNS = {
    "shard": "INTEGER",
    "position": "BIGINT",
    "event_id": "VARCHAR",
    "session_id": "VARCHAR",
    "user_id": "VARCHAR",
    "event_type": "VARCHAR",
    "tool_name": "VARCHAR",
    "action": "VARCHAR",
    "properties": "VARCHAR",
    "demo_mode": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "received_at": "TIMESTAMP WITH TIME ZONE",
    "session": "UUID",
    "risk_mode": "VARCHAR",
    "long_numbers": "BOOLEAN",
}
# Columns that DuckDB derives from others, faster than PostgreSQL, each with the one behind it; rows come without them.
DERIVED = {"session": "session_id", "long_numbers": "properties"}
ROW_COLUMNS = {name: kind for name, kind in COLUMNS.items() if name not in DERIVED}
# Kinds of property columns, and DuckDB's type of each.
STRING, WHOLE, NUMBER, FLAG = "string", "whole", "number", "flag"
KINDS = {STRING: "VARCHAR", WHOLE: "BIGINT", NUMBER: "DOUBLE", FLAG: "BOOLEAN"}
# The site is part of every path, so that other engines read it as a column. The default site has this word, and each
# other one its number: a name may change, and a file keeps its path.
DEFAULT_SITE = "default"
# Where files are written before they get their name, below the archive directory.
WRITING = "writing"
# Holds the id of the archive, which the catalog knows, too.
MARKER = "hourledger-archive.id"
_NAME = re.compile(
    rf"site=(?:{DEFAULT_SITE}|[1-9]\d*)/day=(\d{{4}}-\d\d-\d\d)/(\d+)-(\d{{4}}-\d\d-\d\d(?:T\d\d)?)-([0-9a-f]{{64}})\.parquet",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class PropertyColumn:
    """A property that has a column of its own in a file.

    path: its names from the top level of `properties`. column: the column's name. kind: one of KINDS.
    """

    path: tuple[str, ...]
    column: str
    kind: str


def property_column(name: str, kind: str) -> PropertyColumn:
    """Return the column of a property at the top level."""
    return PropertyColumn((name,), f"properties.{name}", kind)


def json_pointer(names: Iterable[str]) -> str:
    """Return the path of a property as a JSON pointer (RFC 6901), which DuckDB's JSON functions take."""
    return "".join("/" + name.replace("~", "~0").replace("/", "~1") for name in names)


def file_name(shard: int, since: datetime, *, day: bool, digest: str, site: int = 0) -> str:
    """Return the path of a file below the archive directory.

    since: start of its hour or, with `day`, of its UTC day. digest: SHA-256 of its content, in hex. site: the number of
    the shard's site.
    """
    start = since.astimezone(UTC)
    what = f"{start:%Y-%m-%d}" if day else f"{start:%Y-%m-%dT%H}"
    return f"site={site or DEFAULT_SITE}/day={start:%Y-%m-%d}/{shard}-{what}-{digest}.parquet"


def is_file_name(file: str) -> bool:
    """Tell whether a path below the archive directory is one that file_name returns."""
    return _NAME.fullmatch(file) is not None


def is_of_hour(file: str) -> bool:
    """Tell whether a file was written for one hour."""
    found = _NAME.fullmatch(file)
    return found is not None and "T" in found[3]


def day_of(file: str) -> date:
    """Return the UTC day of a file. Raises ValueError for a name that is none of the archive's."""
    return date.fromisoformat(_parts(file)[1])


def digest_of(file: str) -> str:
    """Return the SHA-256, in hex, that a file's name promises. Raises ValueError for any other name."""
    return _parts(file)[4]


def _parts(file: str) -> re.Match[str]:
    found = _NAME.fullmatch(file)
    if found is None:
        raise ValueError(f"{file!r} is not the name of a file of the archive, site=…/day=…/shard-hour-sha256.parquet")
    return found


def place_of(archive: Path, file: str) -> Path:
    """Return where a file of the catalog is. Raises ValueError for a name that leads elsewhere."""
    digest_of(file)
    return archive / file
