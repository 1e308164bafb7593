"""The command that verifies hours and prints every difference."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from projections.commands.findings import Findings
from projections.commands.hours import since_option, until_option
from projections.commands.running import COULD_NOT, WRONG, run
from projections.hours import Hour, list_hours
from projections.log_heads import LogHead, losses, witnessed
from projections.verify import conservation
from projections.verify import verify as verify_hours
from projections.witness import WitnessError, read_witness, witness_file
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

    With HOURLEDGER_WITNESS, also compare the log with that file. Without a range, also check that every event ever
    stored is live or retired. Exits 0 when all is right, 1 when anything is wrong, 2 when the check could not be done.
    """

    async def work(database: Database, settings: Settings) -> int:
        # Before anything of the log is read, so that the log is never older than the witness.
        known, no_witness = await _witness(database, settings.witness)
        hours = [
            hour
            for hour in await witnessed(database, known, await list_hours(database, since, until))
            if (since is None or hour.start >= since) and (until is None or hour.start < until)
        ]
        findings = Findings(keep=as_json)
        events, counts = await _verify(database, hours, findings)
        whole = True if since or until else await _verify_shards(database, known, findings)
        clean = counts[VERIFIED] + counts[SEALED] == len(hours) and whole
        if as_json:
            answer = {"ok": clean, "hours": len(hours), "events": events, **counts, "findings": findings.kept}
            click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
        else:
            sums = f"{counted(len(hours), 'hour')}, {counted(events, 'event')}"
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items())
            click.echo(f"verify: {sums}: {told}: {'clean' if clean else 'WRONG'}")
        if no_witness is not None:
            click.echo(f"error: {no_witness}", err=True)
        if not clean:
            return WRONG
        return 0 if no_witness is None else COULD_NOT

    run(work)


async def _witness(database: Database, place: Path | None) -> tuple[list[LogHead], str | None]:
    """Return what the witness knows, and why it could not be used."""
    if place is None:
        return [], None
    try:
        known = await read_witness(database, place)
    except WitnessError as error:
        return [], str(error)
    file = witness_file(place)
    return known, None if known else f"there is no witness {file} yet; the projector writes it every minute"


async def _verify(database: Database, hours: list[Hour], findings: Findings) -> tuple[int, dict[str, int]]:
    """Verify hours and report each proof; return the number of events, and the number of hours in each state."""
    events = 0
    counts = dict.fromkeys((VERIFIED, SEALED, DRIFTED, DAMAGED, BROKEN), 0)
    with progress("verify", sum(hour.events for hour in hours), "events") as meter:
        async for proof in verify_hours(database, hours):
            meter.advance(proof.hour.events)
            events += proof.events
            counts[proof.state] += 1
            findings.proof(proof)
    return events, counts


async def _verify_shards(database: Database, known: list[LogHead], findings: Findings) -> bool:
    """Report shards whose events do not add up, and what their logs have lost; return whether all is right."""
    unequal = [shard for shard in await conservation(database) if not shard.holds]
    lost = await losses(database, known)
    for shard in unequal:
        findings.sum(shard)
    for loss in lost:
        findings.loss(loss)
    return not unequal and not lost
