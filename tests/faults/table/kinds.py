"""All kinds of faults, and the size of their trials."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

from sql.embedded.share import EmbeddedServer, use
from tests.conftest import FAST, folder_for_servers
from tests.faults.table.archive_disks import fill_archive_disks
from tests.faults.table.archives import change_files, kill_archivers, run_two_archivers
from tests.faults.table.clocks import step_clocks
from tests.faults.table.crowds import kill_appenders, kill_http_workers, kill_postgres, kill_projectors, sever_service
from tests.faults.table.disks import damage_pages, lose_end_of_wal
from tests.faults.table.dropping import kill_droppers
from tests.faults.table.endings import end_processes
from tests.faults.table.full_disks import fill_disks
from tests.faults.table.ground import Ground, Trial, new_ground
from tests.faults.table.history import kill_imports
from tests.faults.table.leaving import jump_clocks, shorten_retention
from tests.faults.table.table import Row
from tests.faults.table.visitors import hold_idle_connections, hold_unfinished_batches, send_costly_bodies
from tests.faults.table.works import (
    LONG_WORKS,
    WORKS,
    append_at_every_boundary,
    fold,
    retire,
    retire_and_undrop,
    try_every_boundary,
)
from tests.faults.table.zombies import stop_checkpoint_holders, stop_folds
from tests.support.small_disk import small_disk, why_not

# Of what is left to chance.
SEED = 3


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fault.

    durable: it needs a server that survives a kill. small_disk: and one on a small disk. mounts: it mounts one itself.
    """

    name: str
    run: Callable[[Ground], Awaitable[None]]
    trial: Trial
    durable: bool = False
    small_disk: bool = False
    mounts: bool = False


def all_kinds() -> list[Kind]:
    """Return the kinds in sizes that together make more than 1,000 faults and 1,000,000 acked events."""
    return [
        *_cuts(Trial(100, 1_000), Trial(100, 1_000), Trial(1, 200)),
        *_cuts(Trial(1, 500, 8), Trial(1, 800, 8, stride=2), Trial(1, 100, 8, stride=8)),
        Kind("projector stopped in a fold", stop_folds, Trial(12, 1_000)),
        Kind("rebuild stopped holding the checkpoint", stop_checkpoint_holders, Trial(12, 1_000)),
        Kind("projectors killed beside 8 appenders", kill_projectors, Trial(30, 20_000)),
        Kind("appender and projector killed", kill_appenders, Trial(20, 4_000)),
        Kind("PostgreSQL killed", kill_postgres, Trial(6, 4_000), durable=True),
        Kind("page damaged on disk", damage_pages, Trial(20, 1_000)),
        Kind("end of the WAL lost, told by the witness", lose_end_of_wal, Trial(10, 1_000, 8), durable=True),
        Kind("HTTP workers killed under load", kill_http_workers, Trial(10, 0)),
        Kind("sockets severed under load, 8 shards", sever_service, Trial(30, 0, shards=8)),
        Kind("silent connections under load", hold_idle_connections, Trial(7, 0)),
        Kind("unfinished batches under load", hold_unfinished_batches, Trial(40, 0)),
        Kind("costly bodies under load", send_costly_bodies, Trial(42, 0)),
        Kind("disk filled under load", fill_disks, Trial(20, 0), durable=True, small_disk=True),
        Kind("SIGTERM to the service, its parts and commands", end_processes, Trial(42, 1_000)),
        Kind("clock of a process stepped by 1 h, 8 shards", step_clocks, Trial(20, 1_000, shards=8)),
        Kind("clocks jumped ahead by days, 8 shards", jump_clocks, Trial(40, 500, shards=8)),
        Kind("retention shorter than the one in force", shorten_retention, Trial(20, 500)),
        Kind("archive writer killed at each step", kill_archivers, Trial(72, 500)),
        Kind("two archive writers, one killed", run_two_archivers, Trial(36, 500)),
        Kind("file of the archive lost or changed", change_files, Trial(40, 500)),
        Kind("disk of the archive full, its writer killed", fill_archive_disks, Trial(32, 500, hours=0), mounts=True),
        Kind("day that leaves rows or archive, killed at each step", kill_droppers, Trial(44, 500, hours=0)),
        Kind("import of history killed at each step", kill_imports, Trial(40, 500, hours=0)),
    ]


def quick_kinds() -> list[Kind]:
    """Return the kinds in sizes for a test, without the kinds that other tests try at length."""
    return [
        *_cuts(Trial(1, 50), Trial(1, 50, stride=5), Trial(1, 50, stride=25)),
        Kind("projector stopped in a fold", stop_folds, Trial(1, 50)),
        Kind("rebuild stopped holding the checkpoint", stop_checkpoint_holders, Trial(2, 50)),
        Kind("appender and projector killed", kill_appenders, Trial(2, 500)),
        Kind("page damaged on disk", damage_pages, Trial(2, 400)),
        Kind("end of the WAL lost, told by the witness", lose_end_of_wal, Trial(2, 50), durable=True),
        Kind("sockets severed under load, 8 shards", sever_service, Trial(3, 0, shards=8)),
        Kind("clock of a process stepped by 1 h, 8 shards", step_clocks, Trial(4, 50, shards=8)),
        Kind("clocks jumped ahead by days, 8 shards", jump_clocks, Trial(20, 50, shards=8)),
        Kind("retention shorter than the one in force", shorten_retention, Trial(3, 50)),
        Kind("archive writer killed at each step", kill_archivers, Trial(12, 50)),
        Kind("two archive writers, one killed", run_two_archivers, Trial(4, 50)),
        Kind("file of the archive lost or changed", change_files, Trial(5, 50)),
        Kind("day that leaves rows or archive, killed at each step", kill_droppers, Trial(5, 50, hours=0)),
        Kind("import of history killed at each step", kill_imports, Trial(4, 50, hours=0)),
    ]


def _cuts(first: Trial, others: Trial, long: Trial) -> list[Kind]:
    """Return the cuts at statement boundaries: of append and fold, of other jobs, and of long ones."""
    runs = {"append": (append_at_every_boundary, first)}
    for name, work in WORKS.items():
        runs[name] = partial(try_every_boundary, work=work), first if work is fold else others
    for name, work in LONG_WORKS.items():
        runs[name] = (
            partial(try_every_boundary, work=work),
            replace(long, hours=0 if work in (retire, retire_and_undrop) else 2),
        )
    suffix = f", {first.shards} shards" if first.shards > 1 else ""
    return [Kind(f"cut in {name}{suffix}", run, size) for name, (run, size) in runs.items()]


async def try_all(kinds: list[Kind], tell: Callable[[str], None], seed: int = SEED) -> list[Row]:
    """Try the kinds one after another, on new servers; return the row of each."""
    rows = []
    with folder_for_servers() as folder, ExitStack() as opened:
        servers: dict[tuple[bool, bool], EmbeddedServer] = {}
        for kind in kinds:
            if (kind.small_disk or kind.mounts) and (reason := why_not()) is not None:
                tell(f"{kind.name}: left out, because {reason}")
                continue
            if (needs := (kind.durable, kind.small_disk)) not in servers:
                data = folder / ("durable" if kind.durable else "fast")
                data = opened.enter_context(small_disk()).data if kind.small_disk else data
                servers[needs] = opened.enter_context(use(data, settings={} if kind.durable else FAST))
            began = perf_counter()
            rows.append(await _try(kind, servers[needs], seed))
            tell(f"{kind.name}: {rows[-1].faults:,} faults, {rows[-1].acked:,} events, {perf_counter() - began:.0f} s")
    return rows


async def _try(kind: Kind, server: EmbeddedServer, seed: int) -> Row:
    row = Row(kind.name)
    async with new_ground(server, row, kind.trial, seed) as ground:
        await kind.run(ground)
        await ground.settle()
    return row
