"""Questions leave the disk to ingest, and say when the disk is what bounds them."""

from __future__ import annotations

import errno
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.archive.disk_share import DiskShare, rounded, share_of
from service.archive.duck_thread import DuckThread
from service.errors import DiskFull, ReadTooLarge
from sql.archive.rows import TooManyRows
from sql.embedded.disk import GIB, MIB, Room

SORT = "select max(n) from (select row_number() over (order by hash(range)) as n from range(300000000)) as s"
MOST = 40_000_000


@given(st.integers(0, 4_000 * GIB), st.integers(1, 128))
def test_all_children_together_leave_what_events_need(free: int, children: int) -> None:
    room = Room(max(free, 40 * GIB), free)
    taken = children * share_of(room, children)
    assert taken <= free // 4
    assert taken == 0 or free - taken >= room.needed


@given(st.integers(0, 10**13))
def test_a_rounded_size_is_little_less(size: int) -> None:
    assert size * 7 // 8 <= rounded(size) <= size


def test_a_child_measures_anew(tmp_path: Path) -> None:
    thread = DuckThread(tmp_path)
    first = thread.connection
    thread.allow(128 * MIB)
    second = thread.connection
    assert second is not first
    assert "127.7 MiB" in str(second.sql("select current_setting('max_temp_directory_size')").fetchall())
    thread.allow(129 * MIB)
    assert thread.connection is second
    thread.close()


@pytest.mark.parametrize(("left", "kind"), [(MOST - 1, DiskFull), (MOST, ReadTooLarge)])
def test_the_disk_is_named_when_it_is_the_bound(left: int, kind: type[Exception]) -> None:
    share = DiskShare(left)
    with pytest.raises(kind), share.named(MOST, rows=MOST):
        raise TooManyRows(errno.ENOSPC, "the rows need more")
    with pytest.raises(kind), share.named(MOST, rows=MOST):
        raise duckdb.OutOfMemoryException("This limit was set by the 'max_temp_directory_size' setting.")
    with pytest.raises(ReadTooLarge), share.named(MOST, rows=MOST):
        raise duckdb.OutOfMemoryException("failed to allocate data of size 16.0 MiB")


def test_duckdb_names_its_bound_as_expected(tmp_path: Path) -> None:
    thread = DuckThread(tmp_path, 10 * MIB)
    with pytest.raises(DiskFull), DiskShare(10 * MIB).named(11 * MIB, rows=0):
        thread.connection.sql(SORT).fetchall()
    thread.close()
