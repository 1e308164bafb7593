"""The command that prints how far the log reaches, and checks a copy of that."""

from __future__ import annotations

from typing import BinaryIO

import click
import msgspec

from projections.archive.kept_hours import KeptHours, NotChecked
from projections.commands.findings import Findings
from projections.commands.running import WRONG, run
from projections.commands.sites import site_names
from projections.copies import read_copy
from projections.log_heads import LogHead, changed_hours, check_origin, log_heads, losses
from projections.verify import UNCHECKED, verify
from service.console import counted
from service.settings import Settings
from sql.database import Database
from sql.hourly import RIGHT


@click.command()
@click.option("--check", "copy", type=click.File("rb"), help="A copy printed earlier, or a witness.")
def log_head(copy: BinaryIO | None) -> None:
    """Print how far each shard's log reaches and what it holds, one JSON object per line.

    With --check, check that the log still has everything that the copy knows; the hours that have changed since are
    verified. Exits 0 when it has, 1 when anything is lost or wrong, 2 when the check could not be done.
    """

    async def work(database: Database, settings: Settings) -> int:
        if copy is None:
            heads = await log_heads(database)
            for head in heads:
                click.echo(msgspec.json.encode(head).decode())
            click.echo(f"log-head: {counted(len(heads), 'shard')}", err=True)
            return 0
        with KeptHours(settings.archive_dir) as kept:
            return await _check(database, read_copy(copy, LogHead), kept)

    run(work)


async def _check(database: Database, known: list[LogHead], kept: KeptHours) -> int:
    await check_origin(database, known)
    findings = Findings(await site_names(database), keep=False)
    lost = await losses(database, known, kept)
    for loss in lost:
        findings.loss(loss)
    wrong = 0
    async for proof in verify(database, await changed_hours(database, known), kept):
        if proof.state == UNCHECKED:
            raise NotChecked(proof.why)
        findings.proof(proof)
        wrong += proof.state not in RIGHT
    hours = sum(len(head.hours) for head in known)
    told = f"{counted(len(known), 'shard')}, {counted(hours, 'hour')} in the copy"
    click.echo(f"log-head: {told}: {counted(wrong, 'hour')} wrong: {'LOST' if lost or wrong else 'nothing is lost'}")
    return WRONG if lost or wrong else 0
