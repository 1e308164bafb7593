"""The command that verifies hours and prints every difference."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click
import msgspec

from projections.acceptance import list_accepted
from projections.archive.identity import check_archive
from projections.archive.kept_hours import KeptHours
from projections.archive.proof import archived_files, prove
from projections.commands.findings import Findings
from projections.commands.hours import since_option, until_option
from projections.commands.running import COULD_NOT, WRONG, run
from projections.commands.sites import site_names
from projections.conservation import conservation
from projections.hours import Hour, list_hours
from projections.log_heads import LogHead, Loss, losses, witnessed
from projections.verify import UNCHECKED
from projections.verify import verify as verify_hours
from projections.witness import WitnessError, read_witness, witness_file
from service.console import counted, progress
from service.settings import Settings
from sql.database import Database
from sql.hourly import BROKEN, DAMAGED, DRIFTED, FAILED, SEALED, VERIFIED


@click.command()
@since_option
@until_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def verify(since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Compare rollups with raw events, raw events with their witnesses, and hours without events with their seals.

    The raw events of days that have left the log are those of the archive's files, as long as it keeps them. Also prove
    each file of the archive from the file alone. With HOURLEDGER_WITNESS, also compare the log with that file. Without
    a range, also check that every event ever stored is live or retired. Exits 0 when all is right, 1 when anything is
    wrong, 2 when the check could not be done.
    """

    async def work(database: Database, settings: Settings) -> int:
        # Before anything of the log is read, so that the log is never older than the witness.
        known, no_witness = await _witness(database, settings.witness)
        hours = [
            hour
            for hour in await witnessed(database, known, await list_hours(database, since, until))
            if (since is None or hour.start >= since) and (until is None or hour.start < until)
        ]
        findings = Findings(await site_names(database), keep=as_json)
        with KeptHours(settings.archive_dir) as kept:
            events, counts, not_kept = await _verify(database, hours, findings, kept)
            for accepted in await list_accepted(database, None, since, until):
                findings.accepted(accepted)
            whole, no_newest = (True, None) if since or until else await _verify_shards(database, known, findings, kept)
            archive, no_archive = await _prove_archive(database, settings.archive_dir, (since, until), findings, kept)
        wrong = any(counts[state] for state in FAILED) or not whole or archive["damaged"] > 0
        clean = not wrong and not counts[UNCHECKED]
        if as_json:
            found = {"archive": archive, "findings": findings.kept}
            answer = {"ok": clean, "hours": len(hours), "events": events, **counts, **found}
            click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())
        else:
            sums = f"{counted(len(hours), 'hour')}, {counted(events, 'event')}"
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items() if count or state != UNCHECKED)
            told += _archive_text(archive)
            click.echo(f"verify: {sums}: {told}: {'WRONG' if wrong else 'clean' if clean else 'not all checked'}")
        missing = dict.fromkeys(why for why in (no_witness, no_archive, not_kept, no_newest) if why is not None)
        for why in missing:
            click.echo(f"error: {why}", err=True)
        if wrong:
            return WRONG
        return COULD_NOT if missing else 0

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


async def _verify(
    database: Database, hours: list[Hour], findings: Findings, kept: KeptHours
) -> tuple[int, dict[str, int], str | None]:
    """Verify hours and report each proof.

    Return the number of events, the number of hours in each state, and why some are unchecked.
    """
    events, why = 0, None
    counts = dict.fromkeys((VERIFIED, SEALED, DRIFTED, DAMAGED, BROKEN, UNCHECKED), 0)
    with progress("verify", sum(hour.events for hour in hours), "events") as meter:
        async for proof in verify_hours(database, hours, kept):
            meter.advance(proof.hour.events)
            events += proof.events
            counts[proof.state] += 1
            why = proof.why or why
            findings.proof(proof)
    return events, counts, why and f"the archive cannot be checked: {why}"


async def _prove_archive(
    database: Database,
    archive: Path,
    span: tuple[datetime | None, datetime | None],
    findings: Findings,
    kept: KeptHours,
) -> tuple[dict[str, int], str | None]:
    """Prove the archive's files with hours of a range; return how many there are, and why they could not be proven."""
    files = await archived_files(database, None, *span)
    counts = {"files": len(files), "events": sum(file.events for file in files), "damaged": 0}
    try:
        # To say of each file that it is missing would be no finding about the file.
        if files:
            await check_archive(database, archive)
    except OSError as error:
        return counts, f"the archive cannot be checked: {error}"
    with progress("archive", counts["events"], "events") as meter:
        async for proof in prove(database, archive, files, record=False, contents=kept.contents):
            meter.advance(proof.file.events)
            counts["damaged"] += proof.wrong is not None
            findings.file(proof)
    return counts, None


def _archive_text(counts: dict[str, int]) -> str:
    if not counts["files"]:
        return ""
    damaged = f", {counts['damaged']:,} damaged" if counts["damaged"] else ""
    return f"; archive: {counted(counts['files'], 'file')}, {counted(counts['events'], 'event')}{damaged}"


async def _verify_shards(
    database: Database, known: list[LogHead], findings: Findings, kept: KeptHours
) -> tuple[bool, str | None]:
    """Report shards whose events do not add up, and what their logs have lost.

    Return whether all is right, and why the witness could not be compared.
    """
    unequal = [shard for shard in await conservation(database) if not shard.holds]
    lost: list[Loss] = []
    why = None
    try:
        lost = await losses(database, known, kept)
    except OSError as error:
        why = f"the archive cannot be checked: {error}"
    for shard in unequal:
        findings.sum(shard)
    for loss in lost:
        findings.loss(loss)
    return not unequal and not lost, why
