"""The steps of work that a process may end at, by name, so that tests can stop one at each."""

from __future__ import annotations

from collections.abc import Callable

# Of one file, in this order.
FOLDER_MADE = "the folder is made"
ROWS_COPIED = "the rows are copied"
FILE_WRITTEN = "the file is written"
NUMBERS_PROVEN = "the numbers are proven"
FILE_RECORDED = "the file is recorded"
RENAMED = "the file has its name"
NAME_ON_DISK = "the name is on disk"
HOURS_RECORDED = "the hours are recorded"
WRITE_STEPS = (
    FOLDER_MADE,
    ROWS_COPIED,
    FILE_WRITTEN,
    NUMBERS_PROVEN,
    FILE_RECORDED,
    RENAMED,
    NAME_ON_DISK,
    HOURS_RECORDED,
)
# Of cleaning, in this order.
FILES_RELEASED = "files are released"
ROW_DELETED = "the row is deleted but not committed"
FILE_DELETED = "the file is deleted"
DELETION_COMMITTED = "the deletion is committed"
CLEANING_STEPS = (FILES_RELEASED, ROW_DELETED, FILE_DELETED, DELETION_COMMITTED)
# Of days that leave the rows and, later, the archive: of one pass of retention, in this order.
HOUR_SEALED = "an hour is sealed"
KEPT_PROVEN = "the files of a day are proven"
ROWS_DETACHED = "the rows of a day left the log"
ARCHIVE_LEFT = "a day left the archive"
ONLY_COPY_PROVEN = "the files of a day are proven again"
ROWS_DROPPED = "the rows of a day are dropped"
DAY_FORGOTTEN = "a day is gone"
LEAVING_STEPS = (
    HOUR_SEALED,
    KEPT_PROVEN,
    ROWS_DETACHED,
    ARCHIVE_LEFT,
    ONLY_COPY_PROVEN,
    ROWS_DROPPED,
    DAY_FORGOTTEN,
)
# Of a day that takes history, in this order.
PARTLY_RESTORED = "some events are restored"
RESTORED = "the day's events are restored"
OPENED = "the day is open"
APPENDED = "events are appended"
SHUT = "the day takes no more events"
FOLDED = "the day is folded"
VERIFIED = "the day is verified"
ARCHIVED = "the day is archived"
AMENDED = "the day is amended"
CLOSED = "the day is closed"
HISTORY_STEPS = (
    PARTLY_RESTORED,
    RESTORED,
    OPENED,
    APPENDED,
    SHUT,
    FOLDED,
    VERIFIED,
    ARCHIVED,
    AMENDED,
    CLOSED,
)
# Of a day that a quarantine is put on or lifted from, in this order.
FORCE_CHANGED = "the quarantine of a day is changed but not committed"
HOUR_REBUILT = "an hour is rebuilt but not committed"
DAY_CHANGED = "the quarantine of a day is changed"
QUARANTINE_STEPS = (FORCE_CHANGED, HOUR_REBUILT, DAY_CHANGED)


def _nothing(_: str) -> None:
    return


_at: Callable[[str], None] = _nothing


def reached(step: str) -> None:
    """Do nothing. Tests put something else in the place of the function that this calls."""
    _at(step)
