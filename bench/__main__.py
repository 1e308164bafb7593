"""Run the benchmarks and print one table. Each is measured several times, in turns with the peer it is compared to.

They run on an embedded PostgreSQL of their own in a temporary folder, with every commit durable. Figures depend on the
machine, ratios less so. Every part ends with a verification; when it fails, the part's figures do not count.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import click

from bench import (
    appends,
    archive,
    batches,
    engine,
    flood,
    growth,
    insight_reads,
    insights,
    lag,
    list_reads,
    memory,
    posts,
    rollup_reads,
    sites,
    sizes,
    starting,
)
from bench.ground import WEB, Grounds, Size, empty, tell
from bench.rows import EVENTS_PER_SECOND, NotCounted, Row, fallen, risen
from bench.table import Machine, as_json, describe_machine, show
from service.console import configure_logs
from sql import VERSION
from sql.errors import DatabaseError, EmbeddedError
from sql.stopping import end_as_ctrl_c

COULD_NOT = 2
NOT_CLEAN = 1

Part = Callable[[Grounds], Awaitable[list[Row]]]

# The order matters: the engine needs logs whose receipts no projector has compacted, and posts add to the log.
PARTS: dict[str, Part] = {
    "engine": engine.measure,
    "rollups": rollup_reads.measure,
    "lists": list_reads.measure,
    "insights": insights.measure,
    "insight-reads": insight_reads.measure,
    "archive": archive.measure,
    "archive-large": archive.measure_large,
    "sites": sites.measure,
    "sizes": sizes.measure,
    "growth": growth.measure,
    "posts": posts.measure,
    "appends": appends.measure,
    "batches": batches.measure,
    "flood": flood.measure,
    "memory": memory.measure,
    "lag": lag.measure,
    "starting": starting.measure,
}
# Not for the quick size, unless asked for.
LONG_PARTS = ("archive-large", "flood")


@click.command(help=__doc__)
@click.version_option(VERSION, prog_name="hourledger bench")
@click.option("--quick", is_flag=True, help="A tenth of the events in a tenth of the hours, and shorter loads.")
@click.option("--guard", is_flag=True, help="Also exit 1 when a ratio is below half of its goal in two measurements.")
@click.option(
    "--events", type=click.IntRange(min=1_000), help="Events stored. [default: 1000000, or 100000 when quick]"
)
@click.option("--only", multiple=True, type=click.Choice(list(PARTS)), help="Measure this part; may be repeated.")
@click.option("--runs", type=click.IntRange(min=1), default=5, show_default=True, help="Samples of each thing.")
@click.option(
    "--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), envvar="BENCH_JSON", show_envvar=True,
    help="Also write the results to this file, as JSON.",
)  # fmt: skip
def main(  # one for each option
    quick: bool, guard: bool, events: int | None, only: tuple[str, ...], runs: int, json_file: Path | None
) -> None:
    """Measure and print. Exits 0 whatever the figures are, 1 when one does not count, 2 when the benchmarks failed."""
    size = Size(events or 100_000, runs, 1, 40, 5, 17) if quick else Size(events or 1_000_000, runs, 4, 200, 600)
    configure_logs("warning", as_json=False)
    # On SIGTERM, too, stop the server and remove the folder.
    end_as_ctrl_c()
    started = perf_counter()
    try:
        rows, machine = asyncio.run(_measure(size, only or _all(quick=quick), twice=guard))
    except (EmbeddedError, DatabaseError, NotCounted) as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(COULD_NOT)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(COULD_NOT)
    seconds = perf_counter() - started
    show(rows, machine, size)
    if json_file is not None:
        json_file.write_bytes(as_json(rows, machine, size, seconds))
    click.echo(_summary(rows, seconds))
    low = fallen(rows) if guard else []
    for row in low:
        tell(f"{row.what}, {row.data}: the ratio {row.ratio:.3f} is below half of the expected one")
    sys.exit(NOT_CLEAN if low or any(row.not_counted for row in rows) else 0)


def _all(*, quick: bool) -> tuple[str, ...]:
    return tuple(name for name in PARTS if not (quick and name in LONG_PARTS))


async def _measure(size: Size, only: tuple[str, ...], *, twice: bool) -> tuple[list[Row], Machine]:
    """Measure the parts. With `twice`, measure a part again when one of its ratios is far too low."""
    rows: list[Row] = []
    async with empty(size, WEB) as ground:
        machine = await describe_machine(ground)
    async with AsyncExitStack() as opened:
        grounds = Grounds(size, opened)
        for name in only:
            tell(f"{name}, {size.runs} runs")
            began = perf_counter()
            found = await _counted(grounds, name)
            if twice and fallen(found):
                tell(f"{name} again, because a ratio is below half of the expected one")
                found = risen(found, await _counted(grounds, name))
            rows += found
            tell(f"{name}: {perf_counter() - began:.0f} s")
    return rows, machine


async def _counted(grounds: Grounds, name: str) -> list[Row]:
    """Return the rows of a part, marked as not counted when the part fails or its logs do not verify."""
    rows: list[Row] = []
    try:
        rows = await PARTS[name](grounds)
        await grounds.verify()
    except (NotCounted, DatabaseError) as error:
        failed = rows or [Row(name, EVENTS_PER_SECOND)]
        return [replace(row, not_counted=str(error)) for row in failed]
    return rows


def _summary(rows: list[Row], seconds: float) -> str:
    met = [row.met for row in rows if row.met is not None]
    skipped = sum(row.skipped is not None for row in rows)
    not_counted = sum(row.not_counted is not None for row in rows)
    return (
        f"bench: {len(rows)} rows, {sum(met)} of {len(met)} goals met, {skipped} skipped, {not_counted} not counted,"
        f" {seconds:.0f} s"
    )


if __name__ == "__main__":
    main()
