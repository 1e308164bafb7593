"""Files with any rows: each row counts once, the log grows by the stored ones, and a second run stores nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.imports.formats import JSON, NDJSON
from sql.database import Database
from tests.support.imports import Counts, a_row, imported, rejected, without_ids
from tests.support.log import NOW, stored
from tests.support.sent_events import examples, sent_events

# These tests read files, which does not depend on the server's version.
pytestmark = pytest.mark.versions("newest")

# Few ids and sessions, so that equal rows, ids of another session and equal rows without an id are common.
rows = st.builds(
    lambda number, session, late: a_row(number, session_id=session, timestamp=late),
    st.none() | st.integers(0, 5),
    st.sampled_from(["s1", "s2"]),
    st.sampled_from([NOW.isoformat()] * 6 + ["2001-01-01", "9000-01-01", "then"]),
).map(lambda row: json.dumps(row).encode())
junk = st.sampled_from([b"1", b"{}", b'"]"', b"nul", b"\xff", rb'"\ud800"', b'{"a":[1}]', b"[" * 5000 + b"]" * 5000])
elements = st.lists(rows | rows | sent_events.filter(lambda sent: b"\n" not in sent) | junk, min_size=1, max_size=40)
# Each example is moved by itself, although its rows may be those of an example before.
moments = (NOW + timedelta(microseconds=number) for number in count())
SHAPES = ((JSON, b"[%b]", b","), (JSON, b' {"events" : [%b] } ', b"\n, "), (NDJSON, b"%b\n", b"\n\n"))


@given(elements, st.sampled_from(SHAPES))
@examples(25)
async def test_read_is_stored_and_duplicate_and_rejected(
    database: Database, database_url: str, tmp_path: Path, sent: list[bytes], shape: tuple[str, bytes, bytes]
) -> None:
    form, around, between = shape
    file = tmp_path / "events"
    write(file, around % between.join(sent))
    once = partial(imported, database, file, form=form, shift_to=next(moments).isoformat())
    before = len(await stored(database_url))
    checked = await once(dry_run=True)
    counts = await once()
    assert counts == checked
    assert sum(counts) == len(sent)
    lines = [line["line"] for line in rejected(file)]
    assert lines == sorted(set(lines))
    assert len(lines) == counts.rejected
    assert len(await stored(database_url)) == before + counts.stored
    again = await once()
    assert again == Counts(0, counts.stored + counts.duplicate, counts.rejected)


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


@given(st.lists(st.sampled_from(["s1", "s2", "s3"]), min_size=1, max_size=30))
@examples(10)
async def test_equal_rows_without_ids_are_all_kept(
    database: Database, database_url: str, tmp_path: Path, sessions: list[str]
) -> None:
    before = len(await stored(database_url))
    file = tmp_path / "events.ndjson"
    kind = f"kind {before}"
    rows = without_ids(a_row(session_id=session, event_type=kind) for session in sessions)
    write(file, "\n".join(json.dumps(row) for row in rows).encode())
    assert await imported(database, file) == Counts(stored=len(sessions))
    assert await imported(database, file) == Counts(duplicate=len(sessions))
