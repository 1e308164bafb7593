"""The time that the whole service takes to start, embedded PostgreSQL included."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter

from bench.ground import WEB, Grounds, empty
from bench.processes import free_port, start, stop, wait_until_ready
from bench.rows import MILLISECONDS, NotCounted, Row, in_turns, most

WHAT = "start of `make serve`, second time, until /health/ready says so"


async def measure(grounds: Grounds) -> list[Row]:
    """Measure on data of its own. The first start makes the data, and is not counted."""
    async with empty(grounds.size, WEB) as ground:

        async def step() -> float:
            return await asyncio.to_thread(_start, ground.folder)

        await step()
        found = await in_turns(grounds.size.runs, {WHAT: step})
    return [Row(WHAT, MILLISECONDS, found[WHAT], goal=most(2000), data="none")]


def _start(folder: Path) -> float:
    """Start the service, and stop it once it is ready; return the time that the start took, in ms."""
    port = free_port()
    log = folder / "serve.log"
    settings = {"HOURLEDGER_DATA_DIR": str(folder / "served"), "HOURLEDGER_PORT": str(port)}
    began = perf_counter()
    process = start(log, settings, "service", "serve")
    try:
        wait_until_ready(port, process, log)
        milliseconds = (perf_counter() - began) * 1000
    finally:
        stop(process)
    if process.returncode:
        raise NotCounted(f"the service ended with {process.returncode}: {log.read_text(errors='replace')[-200:]}")
    return milliseconds
