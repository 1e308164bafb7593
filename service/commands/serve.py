"""`serve`, the whole service, and `http`, its HTTP server alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress

import click

from service.commands.running import load_settings
from service.console import end_with_stdin
from service.operations.supervisor import supervise
from service.settings import CHECKOUT_DATA, Settings, SettingsError
from sql.errors import Unavailable
from sql.migrate import check_schema


@click.command()
def serve() -> None:
    """Run the whole service until Ctrl-C.

    Its parts are the embedded PostgreSQL (unless DATABASE_URL is set), migrations, projector, HTTP.
    """
    loaded = load_settings()
    loaded.check_reads()

    def ready() -> None:
        if loaded.database_url is None:
            click.echo(f"hourledger: the data is in {loaded.data_dir.absolute()}{_in_checkout(loaded)}", err=True)
        for line in _about_pages(loaded):
            click.echo(f"hourledger: {line}", err=True)
        click.echo(f"hourledger: {loaded.url}", err=True)

    supervise(loaded, ready)
    click.echo("hourledger: stopped", err=True)


def _about_pages(settings: Settings) -> Iterator[str]:
    """Yield how pages come to be counted. The script has no write key, because logs hold no keys.

    Whether the environment has one is known here, and keys of the database are not: they may come later.
    """
    key = ' data-write-key="YOUR-WRITE-KEY"' if settings.write_key else ""
    script = f'<script src="{settings.url}/h.js"{key} data-auto defer></script>'
    yield f"to count page views, put {script} into your pages"
    if not settings.cors_origins and not settings.write_key:  # the gate lets a key alone decide
        yield "pages of another address may send events once HOURLEDGER_CORS_ORIGINS names it; then start anew"


def _in_checkout(settings: Settings) -> str:
    if str(settings.data_dir) != CHECKOUT_DATA:
        return ""
    return " in the checkout, where `git clean` deletes it: move it, and set HOURLEDGER_DATA_DIR"


@click.command()
@click.option("--until-stdin-ends", is_flag=True, help="Also stop when standard input ends.")
def http(until_stdin_ends: bool) -> None:
    """Run only the HTTP server, without migrating the schema. Needs DATABASE_URL."""
    loaded = load_settings()
    loaded.check_reads()
    if loaded.database_url is None:
        raise SettingsError("the HTTP server alone needs DATABASE_URL; `serve` brings its own PostgreSQL")
    if until_stdin_ends:
        end_with_stdin()
    # Start even when the database is away: the service answers that it is not ready, and keeps looking for it.
    with suppress(Unavailable):
        asyncio.run(check_schema(loaded.database_url))
    from service.http.server import run  # noqa: PLC0415  # granian is slow to import, and only needed here

    run(loaded)
