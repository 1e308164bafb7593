"""What `GET /health/ready` says of retention: a clock that jumped, a setting that is not in force, an early horizon."""

from __future__ import annotations

from datetime import timedelta

from service.settings import Settings
from sql.database import Row

# Clocks are never quite equal, and a gap of up to a day over a restart of the machine is usual.
APART = timedelta(hours=1)
AHEAD = timedelta(days=1)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def retention_warnings(row: Row, settings: Settings) -> list[str]:
    """Return what an operator must know. row: of read_retention."""
    if row["event_days"] is None or row["known_at"] is None:
        return []  # no projector has run yet
    return [*_clock_warnings(row), *settings.unlike_retention(row["event_days"], row["rollup_days"])]


def _clock_warnings(row: Row) -> list[str]:
    why = []
    if row["ahead"] > AHEAD:
        why.append(
            f"the clock is {_length(row['ahead'])} ahead of the time that is known to have passed, and retention waits:"
            " set the clock right, or run make retention FORCE=1 if it is right"
        )
    if row["behind"] > APART:
        why.append(
            f"the clock is {_length(row['behind'])} behind its last reading, and retention waits:"
            " set the clock right, or run make retention FORCE=1 if it is right"
        )
    if row["apart"] > APART:
        why.append(
            f"the clocks of PostgreSQL and of the projector are {_length(row['apart'])} apart:"
            " set them right; retention goes by the earlier one"
        )
    if row["early"] is not None and row["early"] >= DAY:
        why.append(
            f"the log takes no events before {row['horizon']:%Y-%m-%d}, {_length(row['early'])} later than the"
            " retention says, because a clock was ahead; this passes by itself"
        )
    return why


def _length(gap: timedelta) -> str:
    return f"{gap // DAY} days" if gap >= 2 * DAY else f"{gap // HOUR} hours"
