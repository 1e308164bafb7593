"""The commands of the projections: follow, rebuild, rollback, drop-old, verify, seal-head, retention, status."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, TextIO

import click
import msgspec

from projections import hourly, retention, seals, versions
from projections.follow import follow as follow_log
from projections.hours import list_hours
from projections.projector import catch_up
from projections.rebuild import DAMAGED as NOT_REBUILT
from projections.rebuild import SEALED as LEFT_SEALED
from projections.rebuild import rebuild as rebuild_hours
from projections.verify import BROKEN, DAMAGED, DRIFTED, SEALED, VERIFIED, Conservation, Difference, HourProof
from projections.verify import conservation as count_all
from projections.verify import verify as verify_hours
from service.console import configure_logs, end_with_stdin, progress
from service.settings import Settings, SettingsError, load
from sql import VERSION
from sql.database import Database
from sql.embedded import EmbeddedError
from sql.errors import DatabaseError
from sql.migrate import check_schema, migrate
from sql.server import server

COULD_NOT = 2
WRONG = 1
# An hour of tens of millions of events takes its time.
STATEMENT_SECONDS = 3_600
# Two hours are rebuilt at a time, and one waits for the other's lock.
LOCK_SECONDS = 1_800


class Hour(click.ParamType[datetime]):
    """A whole hour in ISO-8601; without an offset it is UTC."""

    name = "hour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the hour, in UTC."""
        try:
            moment = datetime.fromisoformat(value)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not an hour in ISO-8601, such as 2025-10-18T01:00Z", param, ctx)
        if moment != moment.replace(minute=0, second=0, microsecond=0):
            self.fail(f"{value!r} is not a whole hour", param, ctx)
        return moment


def _after_since(ctx: click.Context, _: click.Parameter, until: datetime | None) -> datetime | None:
    """Return the end of the range; an empty range would be found clean."""
    since = ctx.params["since"]
    if since and until and until <= since:
        raise click.BadParameter("must be later than --from")
    return until


since_option = click.option(
    "--from", "since", type=Hour(), is_eager=True, help="First hour (ISO-8601, UTC). Default: the oldest."
)
until_option = click.option(
    "--to", "until", type=Hour(), callback=_after_since, help="Hour to stop before. Default: the newest included."
)


@click.group(help=__doc__)
@click.version_option(VERSION, prog_name="hourledger projections")
def cli() -> None:
    """Run one of the commands."""


@cli.command()
@click.option("--until-stdin-ends", is_flag=True, help="Stop, too, when standard input ends.")
def follow(until_stdin_ends: bool) -> None:
    """Fold new events into the projections until SIGTERM or SIGINT."""
    if until_stdin_ends:
        end_with_stdin()

    async def work(database: Database, settings: Settings) -> int:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        await follow_log(database, settings.event_retention_days, settings.rollup_retention_days, stop)
        click.echo("projector: stopped", err=True)
        return 0

    run(work)


@cli.command()
@since_option
@until_option
@click.option("--projection", type=click.Choice([hourly.NAME]), default=hourly.NAME, help="Which projection.")
def rebuild(since: datetime | None, until: datetime | None, projection: str) -> None:
    """Regenerate rollups from raw events, while readers and writers keep working.

    Everything is rebuilt as a new version beside the one that answers reads, verified, and then switched to; run again
    after an interruption, it goes on. A range is rebuilt in place, hour by hour. Exits 0 when all were rebuilt, 1 when
    an hour's raw events are damaged (its rollup is left as it is), 2 when it could not be done.
    """

    async def work(database: Database, _: Settings) -> int:
        if since or until:
            return await _rebuild_range(database, since, until, projection)
        return await _rebuild_everything(database, projection)

    run(work)


async def _rebuild_range(database: Database, since: datetime | None, until: datetime | None, projection: str) -> int:
    hours = await list_hours(database, since, until)
    events = sum(hour.events for hour in hours)
    mended = refused = sealed = 0
    with progress("rebuild", events, "events") as meter:
        async for rebuilt in rebuild_hours(database, hours):
            meter.advance(rebuilt.hour.events)
            mended += rebuilt.rows_written > 0
            sealed += rebuilt.outcome == LEFT_SEALED
            if rebuilt.outcome == NOT_REBUILT:
                refused += 1
                where = f"{_hour_text(rebuilt.hour.start)} shard {rebuilt.hour.shard}"
                click.echo(f"{where}: not rebuilt: raw events are damaged; see make verify")
    click.echo(
        f"rebuild of {projection}: {len(hours):,} hours, {events:,} events: {mended:,} hours changed,"
        f" {refused:,} not rebuilt, {sealed:,} sealed and left as they are"
    )
    return WRONG if refused else 0


async def _rebuild_everything(database: Database, projection: str) -> int:
    version = await versions.begin(database)
    events = sum(hour.events for hour in await list_hours(database, None, None))
    carried = 0
    proofs = []
    with progress("rebuild", 2 * events, "events filled and verified") as meter:
        async for hour, outcome in versions.fill(database, version):
            meter.advance(hour.events)
            carried += outcome == versions.CARRIED
        async for proof in versions.prove(database, version):
            meter.advance(proof.events)
            proofs.append(proof)
    former = await versions.switch(database, version, proofs)
    damaged = [proof for proof in proofs if proof.state == DAMAGED]
    for proof in damaged:
        where = f"{_hour_text(proof.hour.start)} shard {proof.hour.shard}"
        click.echo(f"{where}: not rebuilt: raw events are damaged; see make verify")
    click.echo(
        f"rebuild of {projection}: {len(proofs):,} hours, {events:,} events: version {version} is live,"
        f" {carried:,} sealed hours carried over, {len(damaged):,} not rebuilt;"
        f" version {former} stays for `rollback` until `drop-old`"
    )
    return WRONG if damaged else 0


@cli.command()
def rollback() -> None:
    """Answer reads from the version before the last rebuild of everything again."""

    async def work(database: Database, _: Settings) -> int:
        former, live = await versions.roll_back(database)
        click.echo(f"rollback of {hourly.NAME}: version {live} is live, version {former} was")
        return 0

    run(work)


@cli.command()
def drop_old() -> None:
    """Drop the versions that do not answer reads; rollback is not possible afterwards."""

    async def work(database: Database, _: Settings) -> int:
        dropped = await versions.drop_old(database)
        click.echo(f"drop-old of {hourly.NAME}: {len(dropped)} versions dropped")
        return 0

    run(work)


@cli.command()
@since_option
@until_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of lines.")
def verify(since: datetime | None, until: datetime | None, as_json: bool) -> None:
    """Compare rollups with raw events, raw events with what was appended, and hours without events with their seals.

    Without a range, too: all that was ever stored is live or retired. Exits 0 when all is right, 1 when anything is
    wrong, 2 when it could not be checked.
    """

    async def work(database: Database, _: Settings) -> int:
        hours = await list_hours(database, since, until)
        counts = dict.fromkeys((VERIFIED, SEALED, DRIFTED, DAMAGED, BROKEN), 0)
        events = 0
        findings: list[dict[str, Any]] = []
        with progress("verify", sum(hour.events for hour in hours), "events") as meter:
            async for proof in verify_hours(database, hours):
                meter.advance(proof.events)
                counts[proof.state] += 1
                events += proof.events
                if as_json:
                    findings += [_finding(proof, difference) for difference in proof.differences]
                else:
                    _tell(proof)
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
            told = ", ".join(f"{count:,} {state}" for state, count in counts.items())
            click.echo(f"verify: {len(hours):,} hours, {events:,} events: {told}: {'clean' if clean else 'WRONG'}")
        return 0 if clean else WRONG

    run(work)


@cli.command()
@click.option("--check", "copy", type=click.File(encoding="utf-8"), help="A copy printed earlier and kept elsewhere.")
def seal_head(copy: TextIO | None) -> None:
    """Print the newest seal of each shard, one JSON object a line, or check that those of a copy are in the chains.

    Exits 0 when they are, 1 when one is not (seals were changed or removed since), 2 when it could not be checked.
    """

    async def work(database: Database, _: Settings) -> int:
        if copy is None:
            for head in await seals.seal_heads(database):
                click.echo(msgspec.json.encode(head).decode())
            return 0
        heads = seals.read_heads(copy)
        missing = await seals.missing_heads(database, heads)
        for head in missing:
            click.echo(f"shard {head.shard}: broken: seal {head.sequence} of {head.hour} is not what the copy says")
        click.echo(f"seal-head: {len(heads):,} heads in the copy, {len(missing):,} not in the chains")
        return WRONG if missing else 0

    run(work)


@cli.command(name="retention")
def retire() -> None:
    """Run the retention pass now: verify, seal and drop the days past the horizon, and rollups past theirs.

    Exits 0 when nothing past its time is left but what is in use, 1 when a day is kept because it does not verify, 2
    when the pass could not be run.
    """

    async def work(database: Database, settings: Settings) -> int:
        await catch_up(database)
        days = []
        with progress("retention", 0, "events") as meter:
            async for day in retention.retain(database, settings.event_retention_days, settings.rollup_retention_days):
                meter.advance(day.events)
                days.append(day)
        kept = [day for day in days if day.hindrance is not None]
        for day in kept:
            click.echo(f"{day.day}: kept: {day.hindrance}")
        events = sum(day.events for day in days if day.hindrance is None)
        click.echo(f"retention: {len(days) - len(kept):,} days, {events:,} events dropped, {len(kept):,} days kept")
        return WRONG if any(day.failed for day in kept) else 0

    run(work)


@cli.command()
def status() -> None:
    """Print how far each shard is folded."""

    async def work(database: Database, _: Settings) -> int:
        lag = 0
        for row in await database.rows(database.statements.list_checkpoints, hourly.NAME):
            lag += row["lag_events"] if row["live"] else 0
            use = "live" if row["live"] else row["stage"]
            click.echo(
                f"{hourly.NAME} version {row['version']} ({use}) shard {row['shard']}: folded to {row['position']:,}"
                f" of {row['head']:,}, {row['lag_events']:,} events behind"
            )
        click.echo(f"status: {lag:,} events behind")
        return 0

    run(work)


def run(work: Callable[[Database, Settings], Awaitable[int]]) -> None:
    """Do `work` on the configured database and exit with what it returns, or with 2 and one line when it cannot."""
    try:
        settings = load()
        configure_logs(settings.log_level, as_json=settings.log_json)
        with server(settings.database_url, settings.data_dir) as url:
            code = asyncio.run(_work(work, url, settings))
    except (SettingsError, EmbeddedError, DatabaseError, msgspec.DecodeError) as error:
        click.echo(f"error: {error}", err=True)
        code = COULD_NOT
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        code = COULD_NOT
    sys.exit(code)


async def _work(work: Callable[[Database, Settings], Awaitable[int]], url: str, settings: Settings) -> int:
    if settings.database_url is None:
        await migrate(url, shards=settings.shards)  # the embedded database is ours alone
    async with _opened(url) as database:
        await check_schema(url)
        return await work(database, settings)


@asynccontextmanager
async def _opened(url: str) -> AsyncIterator[Database]:
    database = Database(url, statement_seconds=STATEMENT_SECONDS, lock_seconds=LOCK_SECONDS)
    try:
        yield database
    finally:
        await database.close()


def _tell(proof: HourProof) -> None:
    for difference in proof.differences:
        key = "" if difference.key is None else f" {msgspec.json.encode(difference.key).decode()}"
        values = f"stored {difference.stored}, recounted {difference.recounted}"
        if proof.state == DAMAGED:
            values = f"appended {difference.stored}, found {difference.recounted}"
        where = f"{_hour_text(proof.hour.start)} shard {proof.hour.shard}"
        quarter = f" at {difference.bucket:%H:%M}" if proof.state == DRIFTED else ""
        click.echo(f"{where}: {proof.state}: {difference.field}{key}{quarter}: {values}")


def _finding(proof: HourProof, difference: Difference) -> dict[str, Any]:
    return {
        "hour": _hour_text(proof.hour.start),
        "shard": proof.hour.shard,
        "class": proof.state,
        "field": difference.field,
        "bucket": _hour_text(difference.bucket),
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
    return f"{shard.stored:,} events stored, but {shard.live:,} live + {shard.retired:,} retired"


def _hour_text(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


if __name__ == "__main__":
    try:
        cli()
    except Exception as fault:  # noqa: BLE001  # Python's own exit code would read as "something is wrong"
        click.echo(f"error: a fault of the program: {type(fault).__name__}: {fault}", err=True)
        sys.exit(COULD_NOT)
