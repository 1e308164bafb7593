"""Runs a command of the projections, which the service does not import."""

from __future__ import annotations

import os
import subprocess
import sys


def run_projections(url: str, *arguments: str) -> int:
    """Run `python -m projections` on a database until it ends; it prints by itself. Return its exit code."""
    command = [sys.executable, "-m", "projections", *arguments]
    with subprocess.Popen(command, env=os.environ | {"DATABASE_URL": url}, stdin=subprocess.DEVNULL) as process:
        try:
            return process.wait()
        except BaseException:
            process.terminate()  # it then leaves no query running; the block waits for it
            raise
