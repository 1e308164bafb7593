"""`quarantine`: takes a flood of events out of all numbers, and brings it back."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import msgspec

from service.archive.checks import checks_of
from service.commands.running import COULD_NOT, on_database, site_named
from service.console import CommandFailed, option, user_name
from service.ingest.timestamps import parse_time
from service.operations.projections_process import run_projections
from service.operations.supervisor import prepare
from service.questions.condition_grammar import parse_conditions
from service.questions.conditions import Malformed
from service.questions.predicates import predicate
from service.settings import Settings
from sql.database import Database
from sql.migrate import check_schema

NEEDED = ("where", "from", "to", "reason")
# How far ahead of now a quarantine may end: each of its days costs a look.
MOST_AHEAD = timedelta(days=366)


class Moment(click.ParamType[datetime]):
    """A time in ISO-8601; UTC when it has no offset."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the time, in UTC."""
        try:
            return value if isinstance(value, datetime) else parse_time(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


@dataclass(frozen=True, slots=True)
class Asked:
    """What to leave out, as it was typed."""

    where: str
    since: datetime
    until: datetime
    reason: str
    site: str | None


@click.command()
@click.option("--where", metavar="CONDITIONS", help='Which events, such as "properties.bot = true".')
@click.option("--from", "since", type=Moment(), help="Start of the range of timestamps.")
@click.option("--to", "until", type=Moment(), help="End of the range, exclusive. It may be ahead of now.")
@click.option("--site", metavar="NAME", help="The site of the events. Default: the default site.")
@click.option("--reason", metavar="TEXT", help="Why. It stays on record.")
@click.option("--dry-run", is_flag=True, help="Only say how many events each day would leave out.")
@click.option("--list", "lists", is_flag=True, help="Print a line for each quarantine.")
@click.option("--lift", type=int, metavar="NUMBER", help="Count the events of a quarantine again.")
def quarantine(*, dry_run: bool, lists: bool, lift: int | None, **given: Any) -> None:
    """Leave events out of all numbers: those of --where with a timestamp from --from to --to.

    Rollups, trends, top lists, properties, funnels and cohorts then count as if these events had never come, and so do
    events that come later and match. The log keeps them: lists, timelines and exports of raw events still have them.
    verify and rebuild know quarantines. --where takes the conditions of GET /api/analytics/trends.

    Every UTC day changes at once, in each shard. Run it again when it was interrupted: it goes on. A day whose events
    are gone keeps its rollups as they are, and is named. Exits 0, 1 when such a day was left, 2 when it failed.
    """
    names = {"where": given["where"], "from": given["since"], "to": given["until"], "reason": given["reason"]}
    puts = [name for name, value in names.items() if value is not None]
    if [bool(puts), lists, lift is not None].count(True) != 1:
        raise click.UsageError("expected --where with --from, --to and --reason, or --list, or --lift NUMBER")
    if not puts:
        asked, arguments = None, ["--list"] if lists else ["--lift", str(lift)]
    else:
        if missing := [option(name) for name in NEEDED if names[name] is None]:
            raise click.UsageError(f"{', '.join(missing)} must be given, too")
        asked = Asked(given["where"], given["since"], given["until"], given["reason"], given["site"])
        arguments = ["--dry-run"] if dry_run else []
    try:
        code = on_database(lambda url, settings: _run(url, settings, asked, arguments))
    except KeyboardInterrupt:
        click.echo("error: interrupted; run it again, it goes on", err=True)
        code = COULD_NOT
    sys.exit(code)


async def _run(url: str, settings: Settings, asked: Asked | None, arguments: list[str]) -> int:
    if settings.database_url is None:
        await prepare(url, settings)
    else:
        await check_schema(url)
    if asked is not None:
        arguments = ["--put", await definition_of(url, asked), *arguments]
    return run_projections(url, "quarantine", *arguments)


async def definition_of(url: str, asked: Asked) -> str:
    """Return the definition that `python -m projections quarantine --put` takes. Raises CommandFailed."""
    try:
        conditions = parse_conditions(asked.where)
    except Malformed as error:
        raise CommandFailed(f"{option('where')}: {error}") from error
    if not conditions:
        raise CommandFailed(f"{option('where')}: must have a condition; event_type exists means every event")
    if asked.until <= asked.since:
        raise CommandFailed(f"{option('to')}: must be later than {option('from')}")
    if asked.until > datetime.now(UTC) + MOST_AHEAD:
        raise CommandFailed(f"{option('to')}: must be at most {MOST_AHEAD.days} days ahead of now")
    database = Database(url, connections=1)
    try:
        site = await site_named(database, asked.site)
    finally:
        await database.close()
    of_fields, of_properties, values = predicate(conditions)
    return msgspec.json.encode(
        {
            "shards": site.shards,
            "since": asked.since,
            "until": asked.until,
            "condition": asked.where,
            "conditions": checks_of(conditions),
            "of_fields": of_fields,
            "of_properties": of_properties,
            "operands": msgspec.Raw((values or "{}").encode()),
            "reason": asked.reason,
            "asked_by": user_name(),
        }
    ).decode()
