"""`sites`: adds, lists, renames and retires sites."""

from __future__ import annotations

from collections.abc import Iterable

import click

from service.access.site_changes import MOST_SHARDS, add_site, rename_site, retire_site
from service.access.sites import Site, read_sites
from service.commands.running import on_access
from service.console import counted
from service.errors import ServiceError
from service.questions.buckets import zone
from service.settings.values import origins as parse_origins
from sql.database import Database


@click.group()
def sites() -> None:
    """Add, list, rename or retire sites. Each has its own events and numbers.

    Services that run know a change within a second.
    """


def _zone(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        zone(value)
    except ServiceError:
        raise click.BadParameter(f"{value!r} is not a time zone that this machine knows") from None
    return value


def _origins(_: click.Context, __: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    try:
        return tuple(dict.fromkeys(origin for value in values for origin in parse_origins(value)))
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@sites.command()
@click.argument("name")
@click.option(
    "--time-zone", default="UTC", show_default=True, callback=_zone, help="Where its people are, an IANA name."
)
@click.option(
    *("--origin", "origins"),
    multiple=True,
    callback=_origins,
    help="Origin of its pages, such as https://blog.example. May be given several times.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, MOST_SHARDS),
    default=1,
    show_default=True,
    help="Its shards of the log. Their number never changes.",
)
def add(name: str, time_zone: str, origins: tuple[str, ...], shards: int) -> None:
    """Add the site NAME: up to 64 of a-z, 0-9, '.', '_' and '-'."""

    async def work(database: Database) -> None:
        site = await add_site(database, name, time_zone=time_zone, origins=origins, shards=shards)
        click.echo(f"sites: added {site.name}: {_shards(site)}, {site.time_zone}")

    on_access(work)


@sites.command("list")
def list_() -> None:
    """Print a line for each site."""

    async def work(database: Database) -> None:
        known = [*await read_sites(database)]
        width = max(len(site.name) for site in known)
        for site in known:
            click.echo(f"{site.name:{width}}  {', '.join(_about(site))}")
        click.echo(f"sites: {counted(len(known), 'site')}")

    on_access(work)


@sites.command()
@click.argument("old")
@click.argument("new")
def rename(old: str, new: str) -> None:
    """Give the site OLD the name NEW. Requests must name it so from then on."""

    async def work(database: Database) -> None:
        await rename_site(database, old, new)
        click.echo(f"sites: {old} is {new} now")

    on_access(work)


@sites.command()
@click.argument("name")
def retire(name: str) -> None:
    """Take no more events for the site NAME. What it has stays readable, and goes by retention."""

    async def work(database: Database) -> None:
        await retire_site(database, name)
        click.echo(f"sites: {name} is retired: it takes no events any more")

    on_access(work)


def _about(site: Site) -> Iterable[str]:
    yield _shards(site)
    yield site.time_zone
    yield from site.origins
    if site.is_default:
        yield "default"
    if site.retired:
        yield "retired"


def _shards(site: Site) -> str:
    first, *others = map(str, site.shards)
    return f"shards {first} to {others[-1]}" if others else f"shard {first}"
