"""The words of the projection `hourly`, for the service and the projector alike.

The database says the same in its enums, constraints and functions; tests/integration/sql/test_hourly.py compares them.
How an event counts is written once, in SQL: sql/functions/hourly/hourly_keys.sql.
"""

from __future__ import annotations

PROJECTION = "hourly"

# Stages of a version: a rebuild counts its hours; the projector folds it and verify proves it; reads may use it.
FILLING = "filling"
PROVING = "proving"
COMPLETE = "complete"
STAGES = (FILLING, PROVING, COMPLETE)

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

# What the projection counts events by, and the field of a rollup that holds the counts.
ROLLUP_FIELDS = {"event_type": "event_counts", "tool_name": "tool_usage", "risk_mode": "risk_distribution"}
# What events can be divided by; the log alone knows the ones that are not above.
DIMENSIONS = ("event_type", "tool_name", "action", "risk_mode", "demo_mode")
# The key that the rest is summed under.
OTHER = "(other)"

# The kinds of members that the projection tracks, and the measure that counts distinct ones.
MEASURES = {"session": "sessions", "user": "users", "identified": "identified"}
# What a question must name to learn a metric. Every answer has the events of each dimension anyway.
METRICS: dict[str, tuple[str, ...]] = {
    "events": (),
    "sessions": ("sessions",),
    "tool_uses": (),
    "event_types": ("event_type",),
    "events_per_session": ("sessions",),
    "users": ("users",),
    "new_users": ("users",),
    "visitors": ("sessions", "users", "identified"),
}
