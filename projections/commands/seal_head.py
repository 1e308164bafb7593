"""The command that prints the heads of the chains of seals, and checks a copy of them."""

from __future__ import annotations

from typing import BinaryIO

import click
import msgspec

from projections import seals
from projections.commands.running import WRONG, run
from projections.copies import read_copy
from service.console import counted
from service.settings import Settings
from sql.database import Database


@click.command()
@click.option("--check", "copy", type=click.File("rb"), help="A copy printed earlier and kept elsewhere.")
def seal_head(copy: BinaryIO | None) -> None:
    """Print the newest seal of each shard, one JSON object per line.

    With --check, check that each seal of the copy is still in its chain. Exits 0 when all are there, 1 when a seal was
    changed or removed, 2 when the check could not be done.
    """

    async def work(database: Database, _: Settings) -> int:
        if copy is None:
            found = await seals.seal_heads(database)
            for head in found:
                click.echo(msgspec.json.encode(head).decode())
            click.echo(f"seal-head: {counted(len(found), 'head')}", err=True)
            return 0
        heads = read_copy(copy, seals.SealHead)
        missing = await seals.missing_heads(database, heads)
        for head in missing:
            click.echo(f"shard {head.shard}: broken: seal {head.sequence} of {head.hour} is not what the copy says")
        click.echo(f"seal-head: {counted(len(heads), 'head')} in the copy, {len(missing):,} not in the chains")
        return WRONG if missing else 0

    run(work)
