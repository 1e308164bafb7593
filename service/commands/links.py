"""`links`: creates, lists and revokes share links. Only the address of a new link goes to standard output."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from service.access.labels import LONGEST_LABEL
from service.access.share_link_changes import address_of, create_link, revoke_link
from service.access.share_links import View
from service.commands.exports import parameters
from service.commands.running import load_settings, on_access, site_named
from service.console import counted
from service.questions.segments import Segments
from service.questions.shared import RANGE, shown_filters, shown_range
from sql.database import Database, Row

DAYS = 30
MOST_DAYS = 3_650


@click.group()
def links() -> None:
    """Create, list or revoke share links: each shows one view to whoever has it, and nothing else.

    Services that run know a change within a second.
    """


@links.command()
@click.option("--label", default="", help=f"What you call it, up to {LONGEST_LABEL} characters. Its viewers see it.")
@click.option(
    "--days", type=click.IntRange(1, MOST_DAYS), default=DAYS, show_default=True, help="How long it is valid."
)
@click.option("--hours", type=int, help="How many of the last hours it shows. Default: 168, a week.")
@click.option("--from", "from_", metavar="TIME", help="Start of the range that it shows instead, a quarter of an hour.")
@click.option("--to", metavar="TIME", help="End of the range, exclusive.")
@click.option("--filter", "filters", multiple=True, metavar="NAME=VALUE", help="Show only events with this value.")
@click.option(
    "--origin", "origins", multiple=True, help="Origin whose pages may embed it, such as https://wiki.example."
)
@click.option("--site", metavar="NAME", help="The site that it shows; without it the default site.")
@click.option("--address", metavar="URL", help="Address of the service as its viewers see it. Default: the local one.")
def create(**asked: Any) -> None:
    """Create a link and print its address, this once, to standard output."""
    shown = {"hours": asked["hours"], "from": asked["from_"], "to": asked["to"]}
    given = parameters(shown, asked["filters"])
    settings = load_settings()
    base = (asked["address"] or f"{settings.url}{settings.base_path}").rstrip("/")

    async def work(database: Database) -> None:
        now = datetime.now(UTC)
        site = await site_named(database, asked["site"])
        filters = {name: text for name, text in given.items() if name not in RANGE}
        view = View(*shown_range(given, now), await shown_filters(filters, Segments(database, database, site.number)))
        secret = await create_link(
            database,
            site.number,
            view,
            label=asked["label"],
            origins=asked["origins"],
            expires_at=now + timedelta(days=asked["days"]),
        )
        click.echo(f"{base}/{address_of(secret)}")
        click.echo(f"links: created a link to the site {site.name}; keep it now: nothing can show it again", err=True)

    on_access(work)


@links.command("list")
def list_() -> None:
    """Print a line for each link, without its secret."""

    async def work(database: Database) -> None:
        rows = await database.rows(database.statements.list_share_links)
        for row in rows:
            click.echo(", ".join(_about(row, datetime.now(UTC))))
        click.echo(f"links: {counted(len(rows), 'link')}")

    on_access(work)


@links.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Make the link of PREFIX show nothing any more."""

    async def work(database: Database) -> None:
        await revoke_link(database, prefix)
        click.echo(f"links: {prefix[:12]} is revoked", err=True)

    on_access(work)


def _about(row: Row, now: datetime) -> Iterator[str]:
    yield f"{row['prefix']}  the site {row['site_name']}"
    if row["label"]:
        yield repr(row["label"])
    yield f"the last {row['hours']} hours" if row["hours"] else f"{_time(row['since'])} to {_time(row['until'])}"
    for name, text in msgspec.json.decode(row["filters"]).items():
        yield f"{name}={text}"
    if row["origins"]:
        yield f"embedded by {' '.join(row['origins'])}"
    yield f"{'valid until' if row['expires_at'] > now else 'expired'} {_time(row['expires_at'])}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
