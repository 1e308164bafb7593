"""Run commands that must end by themselves."""

from __future__ import annotations

import subprocess
import sys

from tests.conftest import free_port
from tests.support.environment import without_settings

# No database listens here; tests may name another.
NOWHERE = "postgresql://somebody:password-1@127.0.0.1:1/nothing"
SECRET = "a secret with spaces"  # noqa: S105


def start(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command that must end by itself."""
    return subprocess.run(
        [sys.executable, "-m", *command],
        env=without_settings() | {"DATABASE_URL": NOWHERE, "HOURLEDGER_PORT": str(free_port())} | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def line_of(ended: subprocess.CompletedProcess[str]) -> str:
    """Check that a command could not start and wrote one line about it; return the line."""
    assert ended.returncode == 2
    assert ended.stdout == ""
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ")
    assert "password-1" not in line
    assert SECRET not in line
    return line
