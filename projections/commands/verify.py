"""The command that verifies hours and prints every difference."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

import click
import msgspec

from projections.commands.hours import hour_text, since_option, until_option
from projections.commands.running import WRONG, run
from projections.hours import Hour, list_hours
from projections.verify import Conservation, Difference, HourProof
from projections.verify import conservation as count_all
from projections.verify import verify as verify_hours
from service.console import counted, progress
from service.settings import Settings
from sql.database import Database
from sql.hourly import BROKEN, DAMAGED, DRIFTED, SEALED, VERIFIED


@click.command()
@since_option
@until_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def verify(since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Compare rollups with raw events, raw events with their witnesses, and hours without events with their seals.

    Without a range, also check that every event ever stored is live or retired. Exits 0 when all is right, 1 when
    anything is wrong, 2 when the check could not be done.
    """

    async def work(database: Database, _: Settings) -> int:
        hours = await list_hours(database, since, until)
        findings: list[dict[str, Any]] = []
        events, counts = await _verify(database, hours, partial(_collect, findings) if as_json else _tell)
        shards = [] if since or until else await count_all(database)
        unequal = [shard for shard in shards if not shard.holds]
        clean = counts[VERIFIED] + counts[SEALED] == len(hours) and not unequal
        if as_json:
            findings += map(_shard_finding, unequal)
            answer = {"ok": clean, "hours": len(hours), "events": events, **counts, "findings": findings}
            click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
        else:
            for shard in unequal:
                click.echo(f"shard {shard.shard}: damaged: {_sum_text(shard)}")
            sums = f"{counted(len(hours), 'hour')}, {counted(events, 'event')}"
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items())
            click.echo(f"verify: {sums}: {told}: {'clean' if clean else 'WRONG'}")
        return 0 if clean else WRONG

    run(work)


async def _verify(
    database: Database, hours: list[Hour], report: Callable[[HourProof], None]
) -> tuple[int, dict[str, int]]:
    """Verify hours and report each proof; return the number of events, and the number of hours in each state."""
    events = 0
    counts = dict.fromkeys((VERIFIED, SEALED, DRIFTED, DAMAGED, BROKEN), 0)
    with progress("verify", sum(hour.events for hour in hours), "events") as meter:
        async for proof in verify_hours(database, hours):
            meter.advance(proof.hour.events)
            events += proof.events
            counts[proof.state] += 1
            report(proof)
    return events, counts


def _collect(findings: list[dict[str, Any]], proof: HourProof) -> None:
    findings += [_finding(proof, difference) for difference in proof.differences]


def _tell(proof: HourProof) -> None:
    for difference in proof.differences:
        key = "" if difference.key is None else f" {msgspec.json.encode(difference.key).decode()}"
        values = f"stored {difference.stored}, recounted {difference.recounted}"
        if proof.state == DAMAGED:
            values = f"appended {difference.stored}, found {difference.recounted}"
        where = f"{hour_text(proof.hour.start)} shard {proof.hour.shard}"
        quarter = f" at {difference.bucket:%H:%M}" if proof.state == DRIFTED else ""
        click.echo(f"{where}: {proof.state}: {difference.field}{key}{quarter}: {values}")


def _finding(proof: HourProof, difference: Difference) -> dict[str, Any]:
    return {
        "hour": hour_text(proof.hour.start),
        "shard": proof.hour.shard,
        "class": proof.state,
        "field": difference.field,
        "bucket": hour_text(difference.bucket),
        "key": difference.key,
        "stored": difference.stored,
        "recounted": difference.recounted,
    }


def _shard_finding(shard: Conservation) -> dict[str, Any]:
    return {
        "hour": None,
        "shard": shard.shard,
        "class": DAMAGED,
        "field": "stored",
        "bucket": None,
        "key": None,
        "stored": str(shard.stored),
        "recounted": str(shard.live + shard.retired),
    }


def _sum_text(shard: Conservation) -> str:
    return f"{counted(shard.stored, 'event')} stored, but {shard.live:,} live + {shard.retired:,} retired"
