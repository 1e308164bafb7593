"""The command that accepts damage which nothing can mend."""

from __future__ import annotations

from datetime import datetime

import click

from projections.acceptance import Accepted, NotAccepted, accept_damage, list_accepted
from projections.commands.findings import Findings
from projections.commands.hours import Hour, hour_text
from projections.commands.running import WRONG, run
from projections.commands.sites import shard_text, site_names
from projections.hours import list_hours
from projections.verify import verify_hour
from service.console import counted, user_name
from service.settings import Settings
from sql.database import Database
from sql.hourly import DAMAGED, RIGHT
from sql.retention import HOUR


@click.command("accept-damage")
@click.option("--hour", type=Hour(), required=True, help="The damaged hour (ISO-8601, UTC).")
@click.option("--shard", type=int, help="Its shard. Default: all in which it is damaged.")
@click.option("--reason", required=True, metavar="TEXT", help="Why. It stays on record.")
def accept_damage_(hour: datetime, shard: int | None, reason: str) -> None:
    """Accept that the events of an hour are not those that were appended, so that its day can go on.

    From now on the ledger says what is there, and the rollup is rebuilt from it. An amendment beside the seals says for
    ever how many events there were before and after, who accepted it, when and why. verify names it, and is clean.
    Damage that comes later is damage again. Look for a backup first: nothing brings the lost events back afterwards.

    Exits 0, 1 when the hour does not verify afterwards, 2 when there is nothing to accept or it could not be done.
    """

    async def work(database: Database, _: Settings) -> int:
        names = await site_names(database)
        findings = Findings(names, keep=False)
        shards = [shard] if shard is not None else await _damaged(database, hour)
        if not shards:
            raise NotAccepted(f"hour {hour_text(hour)} is not damaged: its events are those that were appended")
        for each in shards:
            try:
                await accept_damage(database, each, hour, reason, user_name())
            except NotAccepted as error:
                where = f"hour {hour_text(hour)} of {shard_text(each, names)}"
                raise NotAccepted(f"the damage of {where} is not accepted: {error}") from error
            findings.accepted(await _newest(database, each, hour))
        proofs = [await verify_hour(database, one) for one in await list_hours(database, hour, hour + HOUR)]
        wrong = [proof for proof in proofs if proof.state not in RIGHT]
        told = ", ".join(f"{shard_text(proof.hour.shard, names)} is {proof.state}" for proof in wrong) or "it verifies"
        click.echo(f"accept-damage: hour {hour_text(hour)}, {counted(len(shards), 'shard')}: {told}")
        return WRONG if wrong else 0

    run(work)


async def _damaged(database: Database, hour: datetime) -> list[int]:
    """Return the shards in which an hour is damaged."""
    hours = await list_hours(database, hour, hour + HOUR)
    return [one.shard for one in hours if (await verify_hour(database, one)).state == DAMAGED]


async def _newest(database: Database, shard: int, hour: datetime) -> Accepted:
    return (await list_accepted(database, [shard], hour, hour + HOUR))[-1]
