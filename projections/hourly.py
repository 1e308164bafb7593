"""What the projection `hourly` is: its name, and what its dimensions are called in a rollup.

How events count toward it is written once, in SQL: sql/functions/hourly/hourly_keys.sql.
"""

from __future__ import annotations

NAME = "hourly"

# Positions folded in one transaction while catching up: a few tenths of a second.
FOLD_LIMIT = 50_000

# Stages of a version: a rebuild counts its hours; it is folded and verified; reads may use it.
FILLING = "filling"
PROVING = "proving"
COMPLETE = "complete"
