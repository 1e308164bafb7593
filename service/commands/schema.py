"""`migrate`, `rollback` and `bi-role`: the schema of the database, and who may read it."""

from __future__ import annotations

import click

from service.commands.running import on_database
from service.operations.bi_role import make_role
from service.operations.supervisor import prepare
from service.settings import Settings
from sql.migrate import check_unused
from sql.migrate import migrate as bring_up
from sql.migrate import rollback as roll_back

# Below it nothing knows the archive, so its files would outlive the events' retention.
ARCHIVE_STEP = "archive"


@click.command()
def migrate() -> None:
    """Bring the schema up to the newest version."""

    async def work(url: str, settings: Settings) -> None:
        steps = await prepare(url, settings)
        click.echo(f"migrate: {', '.join(step.name for step in steps) or 'nothing to do'}")

    on_database(work, makes=True)


@click.command()
@click.option("--force", is_flag=True, help="Roll back even if rows are lost.")
def rollback(force: bool) -> None:
    """Roll the schema back by one step. Refused while a service uses the database."""

    async def work(url: str, settings: Settings) -> None:
        await check_unused(url)
        step = await roll_back(url, force=force)
        click.echo(f"rollback: {step.name if step else 'nothing to do'}")
        if step and step.name == ARCHIVE_STEP:
            click.echo(f"rollback: empty {settings.archive_dir}: nothing reads or deletes the archive's files any more")

    on_database(work)


@click.command("bi-role")
@click.option("--login", metavar="NAME", help="Make this login, or give it a new password.")
def bi_role(login: str | None) -> None:
    """Make the role hourledger_bi, which may read the views of the schema bi and nothing else.

    With --login also make a login with this role. The owner of the database must be allowed to make roles;
    docs/bi.md says what an administrator can do instead.
    """

    async def work(url: str, settings: Settings) -> None:
        await prepare(url, settings)
        lines = await make_role(url, login)
        await bring_up(url)  # grants the views to the role, which exists by now
        if login is not None and settings.database_url is None:
            lines.append("it works while the service runs, for the service's own user and for root")
        for line in ("bi-role: hourledger_bi reads the views of the schema bi", *lines):
            click.echo(line)

    on_database(work)
