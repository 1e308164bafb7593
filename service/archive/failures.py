"""Errors on their way from a child to its worker, which raises them as if it had met them itself."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from service.archive.protocol import Failed, MessageTooLong
from service.errors import ArchiveDamaged, DiskFull, NotReady, ReadInterrupted, ReadTooLarge
from sql import errors

# The errors that keep their kind. Any other one is a fault of the program.
_KINDS: dict[str, type[Exception]] = {
    f"{kind.__module__}.{kind.__name__}": kind
    for kind in (
        ArchiveDamaged,
        DiskFull,
        NotReady,
        ReadTooLarge,
        errors.DatabaseError,
        errors.DiskFull,
        errors.Lost,
        errors.MissingDay,
        errors.Refused,
        errors.TooSlow,
        errors.Unavailable,
        errors.Unreachable,
        errors.Unreadable,
    )
}
TOO_LARGE = "the question needs more memory than it may use; ask for fewer hours, or with a filter"

NO_ROOM = "the disk has no room for temporary files of questions: whoever runs the service must free space"

log = structlog.get_logger(__name__)


@contextmanager
def starting() -> Iterator[None]:
    """Raise what the system refuses to a child that starts as errors of the service."""
    try:
        yield
    except OSError as error:
        log.warning("no process could be started for a question", error=str(error))
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(NO_ROOM) from error
        raise ReadInterrupted(
            f"no process could be started to read for this question ({error.strerror or error}): try again"
        ) from error


class FailedInChild(Exception):
    """A fault of the program in a child. The message is the child's traceback."""


def failed(error: BaseException) -> Failed:
    """Return what a child says of an error."""
    if isinstance(error, MessageTooLong):
        error = ReadTooLarge(TOO_LARGE)
    kind = f"{type(error).__module__}.{type(error).__name__}"
    trace = "" if kind in _KINDS else "".join(traceback.format_exception(error))
    return Failed(kind, " ".join(str(error).split()), trace)


def error_of(failed: Failed) -> Exception:
    """Return the error that a child told of."""
    kind = _KINDS.get(failed.kind)
    return FailedInChild(failed.trace or f"{failed.kind}: {failed.message}") if kind is None else kind(failed.message)
