"""`demo`, and the hidden command that stores events while a demo runs."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, datetime

import click

from service.commands.running import load_settings
from service.console import end_with_stdin
from service.demo.events import live_events
from service.demo.fill import Demo
from service.demo.folder import usual_demo_dir
from service.demo.pace import DAYS, SEED, Pace
from service.demo.run import run_demo
from service.demo.trickle import trickle
from service.ingest.timestamps import parse_time


@click.command()
@click.option(
    "--events", type=click.IntRange(1, 10_000_000), default=100_000, show_default=True, help="Number of events."
)
@click.option("--seed", default=SEED, show_default=True, help="The same seed and end give the same events.")
@click.option("--end", type=parse_time, metavar="ISO-8601", help="Time of the last event. Default: now.")
@click.option("--no-trickle", is_flag=True, help="Send no new events while the demo runs.")
def demo(events: int, seed: int, end: datetime | None, no_trickle: bool) -> None:
    """Run the whole service until Ctrl-C on 30 days of made-up events, in a data directory of its own.

    The directory is .demo, or /var/lib/hourledger-demo for root, or HOURLEDGER_DATA_DIR. A demo first removes the data
    of a former demo. It refuses a directory that holds anything else.
    """
    loaded = load_settings(data_dir=usual_demo_dir())
    loaded.check_reads()
    days = min(DAYS, loaded.log_days)  # because the log refuses older events
    run_demo(loaded, Demo(events, seed, days, end or datetime.now(UTC), trickle=not no_trickle))
    click.echo("hourledger: stopped", err=True)


@click.command(hidden=True)
@click.option("--events", type=int, required=True)
@click.option("--seed", type=int, required=True)
@click.option("--days", type=int, required=True)
@click.option("--end", type=parse_time, required=True)
@click.option("--visitors", type=int, default=0)
@click.option("--until-stdin-ends", is_flag=True)
def demo_trickle(events: int, seed: int, days: int, end: datetime, visitors: int, until_stdin_ends: bool) -> None:
    """Store the events that follow those of a demo with the same options, each when it happens."""
    if until_stdin_ends:
        end_with_stdin()
    with suppress(KeyboardInterrupt):  # which ends it
        pace = Pace(events, end, days, seed)
        settings = load_settings()
        following = live_events(pace, datetime.now(UTC), visitors, seed)
        asyncio.run(trickle(settings, settings.database_url or "", following))
