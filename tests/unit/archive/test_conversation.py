"""Messages between a worker and its child, and the errors that they carry."""

from __future__ import annotations

import asyncio
import errno
import subprocess
import sys

import duckdb
import pytest

from service.archive import failures, protocol
from service.archive.duck_thread import translated
from service.archive.failures import FailedInChild, error_of, failed
from service.archive.protocol import MessageTooLong, receive
from service.errors import ArchiveDamaged, DiskFull, ReadTooLarge, ServiceError
from sql import errors
from sql.archive.rows import TooManyRows


@pytest.mark.parametrize("kind", failures._KINDS.values(), ids=failures._KINDS)
def test_errors_with_a_name_keep_it(kind: type[Exception]) -> None:
    error = error_of(failed(kind("why\n it failed")))
    assert (type(error), str(error)) == (kind, "why it failed")


def test_every_error_of_the_database_has_a_name() -> None:
    kinds = [
        each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, errors.DatabaseError)
    ]
    assert set(kinds) <= set(failures._KINDS.values())
    assert {ArchiveDamaged, ReadTooLarge, DiskFull} <= set(failures._KINDS.values())


def test_any_other_error_is_a_fault_with_its_trace() -> None:
    with pytest.raises(KeyError) as caught:
        dict[str, int]()["no such thing"]
    error = error_of(failed(caught.value))
    assert isinstance(error, FailedInChild)
    assert "test_any_other_error_is_a_fault_with_its_trace" in str(error)
    assert isinstance(error_of(failed(MessageTooLong("a row"))), ReadTooLarge)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (duckdb.OutOfMemoryException("failed to allocate"), ReadTooLarge),
        (TooManyRows(errno.ENOSPC, "the rows need more"), ReadTooLarge),
        (MemoryError(), ReadTooLarge),
        (duckdb.IOException("Could not write file: No space left on device"), DiskFull),
        (OSError(errno.ENOSPC, "No space left on device"), DiskFull),
        (duckdb.IOException("Could not read"), duckdb.IOException),
        (OSError(errno.EACCES, "Permission denied"), OSError),
    ],
)
def test_bounds_are_named(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind) as caught, translated():
        raise error
    assert not isinstance(caught.value, ServiceError) or caught.value.message


async def test_a_message_that_is_too_long_is_not_read() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data((protocol.MOST_BYTES + 1).to_bytes(4, "big"))
    with pytest.raises(MessageTooLong):
        await receive(reader)


async def test_half_a_message_is_none() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data((10).to_bytes(4, "big") + b"half")
    reader.feed_eof()
    assert await receive(reader) is None


def test_workers_do_not_load_duckdb() -> None:
    """It would cost each of them 30 MB."""
    code = "import sys, service.app; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
