"""`make demo`: the whole service on its own data. It makes the data anew each time, and verifies it before serving."""

from __future__ import annotations

import asyncio
import shlex
import shutil
from collections.abc import Coroutine
from datetime import UTC, datetime
from time import monotonic
from typing import TypeVar

import click

from service.console import counted
from service.demo.fill import Demo, fill, prove
from service.demo.folder import claim
from service.demo.pace import Pace
from service.ingest.outcomes import DUPLICATE, STORED
from service.operations.supervisor import PARTS, Part, answering, check_port, keep_running, prepare, stop_on_signals
from service.settings import ARCHIVE, Settings, SettingsError
from sql.embedded.share import EmbeddedServer, release, use

MINUTES = 60  # of an hour

Result = TypeVar("Result")


class Stopped(Exception):
    """SIGINT or SIGTERM came."""


def run_demo(settings: Settings, demo: Demo) -> None:
    """Make, fill and run a demo until SIGINT or SIGTERM, which stop it at any moment.

    Raises SettingsError before it touches any data. Later it raises sql.errors.EmbeddedError,
    sql.errors.DatabaseError and DemoFailed, after it has stopped everything.
    """
    if settings.database_url is not None:
        raise SettingsError("DATABASE_URL is set, but a demo brings its own PostgreSQL: unset it")
    if settings.witness is not None:
        raise SettingsError("HOURLEDGER_WITNESS is set, but it is no witness of a demo, which is made anew: unset it")
    if settings.archive_dir != settings.data_dir / ARCHIVE:
        raise SettingsError("HOURLEDGER_ARCHIVE_DIR is set, but a demo's archive is made anew each time: unset it")
    check_port(settings)
    claim(settings.data_dir)
    asyncio.run(_run(settings, demo))


async def _run(settings: Settings, demo: Demo) -> None:
    stop = stop_on_signals()
    click.echo(f"demo: making a database in {settings.data_dir}", err=True)
    await asyncio.to_thread(shutil.rmtree, settings.archive_dir, ignore_errors=True)
    # In a thread, because a signal must not interrupt the start: a half-started server would keep running.
    embedded = await asyncio.to_thread(use, settings.data_dir, anew=True)
    try:
        await _fill_and_show(settings, demo, embedded, stop)
    except Stopped:
        return
    finally:
        release(embedded)


async def _fill_and_show(settings: Settings, demo: Demo, embedded: EmbeddedServer, stop: asyncio.Event) -> None:
    await _until(stop, prepare(embedded.url, settings, serves=True))
    click.echo(f"demo: storing {_events_of(demo)}", err=True)
    started = monotonic()
    outcomes, visitors = await _until(stop, fill(settings, embedded.url, demo))
    click.echo(
        f"demo: {counted(outcomes[STORED], 'event')} stored, {counted(outcomes[DUPLICATE], 'repeat')} recognised,"
        f" {monotonic() - started:.1f} s; folding and verifying",
        err=True,
    )
    serving = asyncio.create_task(keep_running(PARTS, embedded.url, embedded, stop))
    serving.add_done_callback(lambda _: stop.set())
    try:
        await _until(stop, prove(embedded.url))
        await _until(stop, answering(settings))
        _announce(settings, demo)
        if demo.trickle:
            await keep_running([_trickle(demo, visitors)], embedded.url, None, stop)
        await stop.wait()
    finally:
        stop.set()
        await serving


async def _until(stop: asyncio.Event, work: Coroutine[None, None, Result]) -> Result:
    """Return the result of work. When `stop` is set, cancel the work and raise Stopped."""
    working = asyncio.create_task(work)
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    if stop.is_set():
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        raise Stopped
    return working.result()


def _trickle(demo: Demo, visitors: int) -> Part:
    told = {"events": demo.events, "seed": demo.seed, "days": demo.days, "end": demo.end.isoformat()}
    options = (f"--{name}={value}" for name, value in (told | {"visitors": visitors}).items())
    return Part("trickle", "service", "demo-trickle", tuple(options))


def _events_of(demo: Demo) -> str:
    return f"{counted(demo.events, 'event')} of {counted(demo.days, 'day')}"


def _announce(settings: Settings, demo: Demo) -> None:
    address = settings.url
    token = ' -H "Authorization: Bearer $HOURLEDGER_READ_TOKEN"' if settings.read_token else ""
    lines = (
        f"demo: look at    {address}/              the dashboard",
        f"                 {address}/schema        every endpoint, to try",
        *([f"      live       {_rate_now(demo)}, as in the days before"] if demo.trickle else []),
        f"      read       curl{token} '{address}/api/analytics/rollups?hours=24'",
        f"      prove it   HOURLEDGER_DATA_DIR={shlex.quote(str(settings.data_dir))} make verify",
        "      Ctrl-C stops it; the next start makes it anew",
        f"hourledger: {address} (demo, {_events_of(demo)})",
    )
    for line in lines:
        click.echo(line, err=True)


def _rate_now(demo: Demo) -> str:
    """Say how many new events come at this time of the day and week."""
    hourly = Pace(demo.events, demo.end, demo.days, demo.seed).an_hour(datetime.now(UTC))
    if hourly >= 2 * MINUTES:
        return f"about {round(hourly / MINUTES):,} new events a minute now"
    number = f"about {counted(round(hourly), 'new event')}" if round(hourly) else "less than a new event"
    return f"{number} an hour now"
