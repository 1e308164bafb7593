"""`python -m projections`, or `service`, as a process."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRESS = re.compile(r"[\w ]+: [\d,]+( of [\d,]+)? \w+, [\d,]+ \w+/s")


@dataclass
class Ended:
    """The exit code, output and errors of a process."""

    code: int
    output: str
    errors: str

    @property
    def last_error(self) -> str:
        return self.errors.splitlines()[-1]

    @property
    def complaints(self) -> list[str]:
        """The lines of errors without those that tell, on a slow machine, how far a command is."""
        return [line for line in self.errors.splitlines() if not PROGRESS.fullmatch(line)]


async def run(url: str, *arguments: str, module: str = "projections", **settings: str) -> Ended:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOURLEDGER_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        env=inherited | {"DATABASE_URL": url} | settings,
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, errors = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, output.decode(), errors.decode())


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"
