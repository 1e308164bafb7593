"""The names of the projection `hourly`, for the service and the projector alike.

The database repeats them in enums, constraints and functions; tests/integration/sql/test_hourly.py compares the two.
One SQL function defines how an event counts: sql/functions/hourly/hourly_keys.sql.
"""

from __future__ import annotations

PROJECTION = "hourly"

# Stages of a version. filling: a rebuild counts its hours. proving: the projector folds it, and verify proves its
# hours. complete: reads may use it.
FILLING = "filling"
PROVING = "proving"
COMPLETE = "complete"

# States of a proof, worst first: an hour has its worst shard's state.
BROKEN = "broken"
DAMAGED = "damaged"
DRIFTED = "drifted"
OPEN = "open"
VERIFIED = "verified"
SEALED = "sealed"
STATES = (BROKEN, DAMAGED, DRIFTED, OPEN, VERIFIED, SEALED)
FAILED = (BROKEN, DAMAGED, DRIFTED)
RIGHT = frozenset({VERIFIED, SEALED})

# The dimensions of the projection, and the field of a rollup that holds the counts of each.
ROLLUP_FIELDS = {"event_type": "event_counts", "tool_name": "tool_usage", "risk_mode": "risk_distribution"}
# The dimensions that a question can divide events by. A dimension that is not in ROLLUP_FIELDS needs the log.
DIMENSIONS = ("event_type", "tool_name", "action", "risk_mode", "demo_mode")
# The dimensions whose keys senders invent, so that the new ones that count under themselves are bounded in each hour.
NAMES = ("event_type", "tool_name", "action", "risk_mode")
# An answer sums the keys that it does not name under this key, and numbers by name the events of refused names.
OTHER = "(other)"

# The kinds of members that the projection tracks, and for each the measure that counts distinct members.
MEASURES = {"session": "sessions", "user": "users", "identified": "identified"}
# The measures and dimensions that a question must name to get a metric. Some metrics need none, because every answer
# counts the events of each dimension.
METRICS: dict[str, tuple[str, ...]] = {
    "events": (),
    "sessions": ("sessions",),
    "tool_uses": ("tool_uses",),
    "event_types": ("event_type",),
    "events_per_session": ("sessions",),
    "users": ("users",),
    "new_users": ("users",),
    "visitors": ("sessions", "users", "identified"),
}
