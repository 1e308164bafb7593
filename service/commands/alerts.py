"""`alerts`: adds, lists, removes and tries rules of alerts. Only the secret of a new rule goes to standard output."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import click

from service.alerts.conditions import State
from service.alerts.rules import add_rule, list_rules, remove_rule, try_rule
from service.alerts.targets import Way, target_of
from service.commands.running import load_settings, on_access, site_named
from service.console import CommandFailed, counted
from sql.database import Database, Row


@click.group()
def alerts() -> None:
    """Add, list, remove or try rules of alerts: when to tell whom.

    Services that run know a change within half a minute, and look every half minute.
    """


@alerts.command()
@click.argument("name")
@click.option(
    "--when",
    "condition",
    required=True,
    metavar="SENTENCE",
    help="Such as 'no events for 30 minutes', 'events above 1000 in 1 hour', 'events of signed_up below 5 in 1 day',"
    f" 'sessions below 50% of usual in 1 day', or one of: {', '.join(state.value for state in State)}.",
)
@click.option(
    *("--to", "targets"),
    required=True,
    multiple=True,
    metavar="TARGET",
    help="mailto:ops@example.com, a webhook https://…, or apprise: and a URL of apprise. May be given several times.",
)
@click.option("--site", metavar="SITE", help="The site that it is about; without it the default site.")
def add(name: str, condition: str, targets: tuple[str, ...], site: str | None) -> None:
    """Add the rule NAME: up to 64 of a-z, 0-9, '.', '_' and '-'.

    Prints the secret that signs what its webhooks get.
    """
    smtp = load_settings().smtp_url

    async def work(database: Database) -> None:
        secret = await add_rule(database, name, await site_named(database, site), condition, targets)
        ways = {target_of(target).way for target in targets}
        if Way.WEBHOOK in ways:
            click.echo(secret)
        click.echo(f"alerts: added {name}; `python -m service alerts test {name}` sends a test message", err=True)
        if Way.MAIL in ways and smtp is None:
            click.echo("alerts: HOURLEDGER_SMTP_URL is not set here; set it where the service runs", err=True)

    on_access(work)


@alerts.command("list")
def list_() -> None:
    """Print a line for each rule, without secrets."""

    async def work(database: Database) -> None:
        rows = await list_rules(database)
        for row in rows:
            click.echo(", ".join(_about(row)))
        click.echo(f"alerts: {counted(len(rows), 'rule')}")

    on_access(work)


@alerts.command()
@click.argument("name")
def remove(name: str) -> None:
    """Delete the rule NAME, and what of it is still to be sent."""

    async def work(database: Database) -> None:
        await remove_rule(database, name)
        click.echo(f"alerts: {name} is removed")

    on_access(work)


@alerts.command()
@click.argument("name")
def test(name: str) -> None:
    """Send a test message to each target of the rule NAME, now and once."""
    smtp = load_settings().smtp_url

    async def work(database: Database) -> None:
        tried = await try_rule(database, smtp, name, datetime.now(UTC))
        for each in tried:
            click.echo(f"{each.target.shown}: {'sent' if each.why is None else f'not sent: {each.why}'}")
        failed = sum(each.why is not None for each in tried)
        if failed:
            raise CommandFailed(f"{failed} of {counted(len(tried), 'message')} could not be sent")
        click.echo(f"alerts: {counted(len(tried), 'message')} sent")

    on_access(work)


def _about(row: Row) -> Iterator[str]:
    yield f"{row['name']}  {row['condition']}, site {row['site_name']}"
    yield f"to {' and '.join(target_of(target).shown for target in row['targets'])}"
    if row["firing"]:
        yield f"fires since {_time(row['changed_at'])}: {row['found']}"
    elif row["changed_at"]:
        yield f"recovered {_time(row['changed_at'])}"
    if row["waiting"]:
        yield f"{counted(row['waiting'], 'message')} to send" + (f" ({row['why']})" if row["why"] else "")
    if row["failed"]:
        yield f"{counted(row['failed'], 'message')} given up ({row['why']})"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
