"""The environment of processes that tests start."""

from __future__ import annotations

import os


def without_settings() -> dict[str, str]:
    """Return this process's environment without the settings of the service."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("HOURLEDGER_", "DATABASE_"))}
