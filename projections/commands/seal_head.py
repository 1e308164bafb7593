"""The command that prints the heads of the chains of seals, and checks a copy of them."""

from __future__ import annotations

from typing import BinaryIO

import click
import msgspec

from projections import seals
from projections.commands.running import WRONG, run
from service.settings import Settings
from sql.database import Database


@click.command()
@click.option("--check", "copy", type=click.File("rb"), help="A copy printed earlier and kept elsewhere.")
def seal_head(copy: BinaryIO | None) -> None:
    """Print the newest seal of each shard, one JSON object per line, or check that a copy's seals are in the chains.

    Exits 0 when all are, 1 when one is not, because seals were changed or removed, 2 when the check could not be done.
    """

    async def work(database: Database, _: Settings) -> int:
        if copy is None:
            found = await seals.seal_heads(database)
            for head in found:
                click.echo(msgspec.json.encode(head).decode())
            click.echo(f"seal-head: {len(found):,} heads", err=True)
            return 0
        heads = seals.read_heads(copy)
        missing = await seals.missing_heads(database, heads)
        for head in missing:
            click.echo(f"shard {head.shard}: broken: seal {head.sequence} of {head.hour} is not what the copy says")
        click.echo(f"seal-head: {len(heads):,} heads in the copy, {len(missing):,} not in the chains")
        return WRONG if missing else 0

    run(work)
