"""The errors of the database. This module alone translates the driver's errors.

DatabaseError
├── Unavailable     the database cannot serve now; the statement may have taken effect; try again
│   ├── DiskFull    the disk has no room for what the statement writes
│   ├── Unreachable no server answers at the address of the database
│   ├── Lost        the connection was lost; another connection may work at once
│   └── TooSlow     the statement exceeded its time limit, and the server ended it
├── MissingDay      an event's day has no partition yet; make the partition and try again
├── Unreadable      a page, an index or a file on disk is damaged or missing, and trying again changes nothing
└── Refused         PostgreSQL refuses the data; trying again changes nothing

A plain DatabaseError is a fault of the program or of the database's setup: it does not pass by itself.
EmbeddedError stands apart: the embedded server could not be started or used.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg


class DatabaseError(Exception):
    """PostgreSQL, or the connection to it, failed or refused. The message is PostgreSQL's, on one line."""


class Unavailable(DatabaseError):
    """PostgreSQL cannot serve now: away, starting, stopping, full, read-only, out of connections, or too slow."""


class DiskFull(Unavailable):
    """The disk of the database has no room for what the statement writes. The statement took no effect."""


class Unreachable(Unavailable):
    """No server answers at the address of the database."""


class Lost(Unavailable):
    """The connection went away."""


class TooSlow(Unavailable):
    """The statement exceeded its time limit."""


class MissingDay(DatabaseError):
    """The log has no partition for an event's day."""


class Unreadable(DatabaseError):
    """PostgreSQL cannot read what it stored: a page, an index or a file is damaged or missing, or the disk fails."""


class Refused(DatabaseError):
    """PostgreSQL refuses the data itself."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used. The message is one line.

    log_tail: the last lines of the server's log, or "".
    """

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html
_UNAVAILABLE_CLASSES = ("08", "53", "57", "58", "40")
_UNAVAILABLE_CODES = ("25006", "25P03", "25P04", "55000", "55P03")
_REFUSED_CLASSES = ("21", "22", "23")
# Internal errors and damaged data, and of the system's errors those of a failing disk and of a missing file.
_UNREADABLE_CLASS = "XX"
_UNREADABLE_CODES = ("58030", "58P01")
_DISK_FULL_CODE = "53100"
_LOST_CODES = ("08003", "57P01", "57P02")
# Words in the driver's InterfaceError for a lost connection. Any other InterfaceError means wrong use of the driver.
_GONE = ("closed", "closing", "released back to the pool")


def translate(error: BaseException) -> DatabaseError:
    """Return the error of this module for a driver's error."""
    if isinstance(error, asyncpg.PostgresError):
        return _translate_sqlstate(error)
    if isinstance(error, asyncpg.InterfaceError):
        gone = any(words in str(error) for words in _GONE)
        return (Lost if gone else DatabaseError)(_one_line(error))
    lost = isinstance(error, ConnectionResetError | BrokenPipeError | asyncpg.InternalClientError)
    if lost:
        return Lost(_one_line(error))
    away = isinstance(error, OSError) and not isinstance(error, TimeoutError)
    return (Unreachable if away else Unavailable)(_one_line(error))


def _translate_sqlstate(error: asyncpg.PostgresError) -> DatabaseError:
    state = error.sqlstate or ""
    kinds = {
        DiskFull: state == _DISK_FULL_CODE,
        Lost: state in _LOST_CODES,
        TooSlow: state == "57014" and "statement timeout" in str(error),
        Unreadable: state[:2] == _UNREADABLE_CLASS or state in _UNREADABLE_CODES,
        Unavailable: state[:2] in _UNAVAILABLE_CLASSES or state in _UNAVAILABLE_CODES,
        MissingDay: state == "23514" and "no partition of relation" in str(error),
        Refused: state[:2] in _REFUSED_CLASSES,
    }
    return next((kind for kind, fits in kinds.items() if fits), DatabaseError)(_one_line(error))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


class _CallersOwn(Exception):
    """Carries an OSError that is not the driver's through `translated`."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


@contextmanager
def callers_own() -> Iterator[None]:
    """Let an OSError of the block through `translated` as it is, because it is about a file of the caller's."""
    try:
        yield
    except TimeoutError:
        raise
    except OSError as error:
        raise _CallersOwn(error) from error


@contextmanager
def translated() -> Iterator[None]:
    """Raise driver errors as errors of this module."""
    try:
        yield
    except _CallersOwn as own:
        raise own.error from None
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError) as error:
        raise translate(error) from error
