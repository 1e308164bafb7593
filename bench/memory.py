"""The peak memory of commands that read everything. For the import see bench/batches.py."""

from __future__ import annotations

from bench.ground import WEB, Grounds
from bench.processes import peak_of
from bench.rows import MEGABYTES, Row, Spread, most


async def measure(grounds: Grounds) -> list[Row]:
    """Measure the command's own process, without PostgreSQL's."""
    verify = await peak_of(await grounds.of(WEB), "projections", "verify")
    return [Row("verify of everything, peak RSS", MEGABYTES, Spread((verify,)), goal=most(200))]
