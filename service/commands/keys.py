"""`keys`: creates, lists, rotates, revokes and forgets keys. Only a new key goes to standard output."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import click

from service.access.key_changes import create_key, forget_key, revoke_key, rotate_key
from service.access.keys import Kind
from service.commands.running import on_access, site_named
from service.console import counted
from sql.database import Database, Row

MOST_OVERLAP_HOURS = 24 * 365
KEPT = "keep it now: nothing can show it again"


@click.group()
def keys() -> None:
    """Create, list, rotate, revoke or forget keys: who may send events, and who may read.

    Services that run know a change within a second.
    """


def _expiry(_: click.Context, __: click.Parameter, value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is no ISO-8601 date or time, such as 2027-01-31") from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if moment <= datetime.now(UTC):
        raise click.BadParameter(f"{value!r} is over already")
    return moment


@keys.command()
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in Kind]),
    required=True,
    help="write: events of pages, public. server: all events. read: questions. admin: everything.",
)
@click.option("--site", metavar="NAME", help="The site that it is for; without it the default site.")
@click.option("--all-sites", is_flag=True, help="It is for all sites; requests choose with site=.")
@click.option("--label", default="", help="What you call it.")
@click.option("--expires", "expires_at", callback=_expiry, help="When it expires, a date or time in UTC; else never.")
def create(kind: str, site: str | None, all_sites: bool, label: str, expires_at: datetime | None) -> None:
    """Create a key and print it, this once, to standard output."""
    if all_sites and site is not None:
        raise click.UsageError("give --site or --all-sites, not both")

    async def work(database: Database) -> None:
        named = None if all_sites else await site_named(database, site)
        number, name = (named.number, named.name) if named else (None, None)
        key = await create_key(database, Kind(kind), number, label=label, expires_at=expires_at)
        click.echo(key)
        click.echo(f"keys: created a {kind} key for {_where(name)}; {KEPT}", err=True)

    on_access(work)


@keys.command("list")
def list_() -> None:
    """Print a line for each key, without its secret."""

    async def work(database: Database) -> None:
        rows = await database.rows(database.statements.list_keys)
        for row in rows:
            click.echo(", ".join(_about(row, datetime.now(UTC))))
        click.echo(f"keys: {counted(len(rows), 'key')}")

    on_access(work)


@keys.command()
@click.argument("prefix")
@click.option(
    "--overlap",
    metavar="HOURS",
    type=click.IntRange(0, MOST_OVERLAP_HOURS),
    default=24,
    show_default=True,
    help="How long the older key stays valid.",
)
def rotate(prefix: str, overlap: int) -> None:
    """Create a key like the one of PREFIX, and print it. The older one expires after the overlap."""

    async def work(database: Database) -> None:
        rotated = await rotate_key(database, prefix, timedelta(hours=overlap))
        click.echo(rotated.key)
        click.echo(f"keys: {prefix} is valid until {_time(rotated.older_expires_at)}; {KEPT}", err=True)

    on_access(work)


@keys.command()
@click.argument("prefix")
def revoke(prefix: str) -> None:
    """Make the key of PREFIX invalid at once. Its site goes on needing a key."""

    async def work(database: Database) -> None:
        await revoke_key(database, prefix)
        click.echo(f"keys: {prefix} is revoked", err=True)

    on_access(work)


@keys.command()
@click.argument("prefix")
def forget(prefix: str) -> None:
    """Delete the revoked or expired key of PREFIX. A site without any key is open again."""

    async def work(database: Database) -> None:
        await forget_key(database, prefix)
        click.echo(f"keys: {prefix} is forgotten", err=True)

    on_access(work)


def _about(row: Row, now: datetime) -> Iterator[str]:
    yield f"{row['prefix']}  {row['kind']} key for {_where(row['site_name'])}"
    if row["label"]:
        yield repr(row["label"])
    yield f"created {_time(row['created_at'])}"
    yield f"last used {_time(row['last_used_at'])}" if row["last_used_at"] else "never used"
    if row["revoked_at"]:
        yield f"revoked {_time(row['revoked_at'])}"
    elif row["expires_at"]:
        yield f"{'expires' if row['expires_at'] > now else 'expired'} {_time(row['expires_at'])}"


def _where(site: str | None) -> str:
    return "all sites" if site is None else f"the site {site}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
