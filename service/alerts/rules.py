"""Adds, removes and tries rules of alerts. Services that run know a change within half a minute."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from service.access.errors import NameTaken
from service.access.sites import SHOWN, Site
from service.alerts.conditions import OF_SERVICE, condition_of
from service.alerts.deliveries import reason_of, send
from service.alerts.elsewhere import problem_with
from service.alerts.messages import About, trial
from service.alerts.targets import MOST_TARGETS, Target, Way, target_of
from service.alerts.webhooks import new_secret
from service.errors import InvalidParameter, NotFound, TooMany
from service.settings.smtp import Smtp
from sql.database import Database, Row
from sql.errors import Refused

MOST_RULES = 500
HOW_TO_LIST = "`python -m service alerts list` lists the rules"
# As the table alert_rules has it.
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tried:
    """How a test message ended. why: None when the target took it."""

    target: Target
    why: str | None


async def add_rule(database: Database, name: str, site: Site, condition: str, targets: Sequence[str]) -> str:
    """Add a rule; return the secret that signs what its webhooks get.

    Raises InvalidParameter, NameTaken, TooMany, and sql.errors.DatabaseError.
    """
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"name must be 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or a digit, not {name[:SHOWN]!r}",
            "name",
        )
    found = condition_of(condition)
    if found in OF_SERVICE and not site.is_default:
        raise InvalidParameter(f"the condition {str(found)!r} is about the whole service: name no site", "site")
    _check_targets(targets)
    secret = new_secret()
    try:
        rows = await database.rows(
            database.statements.add_alert_rule, site.number, name, str(found), [*targets], secret, MOST_RULES
        )
    except Refused as error:
        if name in {row["name"] for row in await list_rules(database)}:
            raise NameTaken(f"there is a rule {name!r} already; {HOW_TO_LIST}", "name") from error
        raise
    if not rows:
        raise TooMany(f"there are {MOST_RULES} rules already; remove one first")
    return secret


def _check_targets(targets: Sequence[str]) -> None:
    if not 1 <= len(set(targets)) == len(targets) <= MOST_TARGETS:
        raise InvalidParameter(f"a rule has 1 to {MOST_TARGETS} targets, each of them once", "target")
    for target in map(target_of, targets):
        if target.way is Way.APPRISE and (problem := problem_with(target.address)):
            raise InvalidParameter(problem, "target")


async def list_rules(database: Database) -> list[Row]:
    """Return the rules, by name; see list_alert_rules.sql. Raises sql.errors.DatabaseError."""
    return await database.rows(database.statements.list_alert_rules)


async def remove_rule(database: Database, name: str) -> None:
    """Delete a rule and its messages. Raises NotFound, and sql.errors.DatabaseError."""
    if not await database.rows(database.statements.remove_alert_rule, name):
        raise _unknown(name)


async def try_rule(database: Database, smtp: Smtp | None, name: str, at: datetime) -> list[Tried]:
    """Send a test message to each target of a rule, now and once. Raises NotFound, and sql.errors.DatabaseError."""
    row = next((row for row in await list_rules(database) if row["name"] == name), None)
    if row is None:
        raise _unknown(name)
    message = trial(About(name, row["site_name"], row["condition"]), at)
    identity = f"test-{row['rule']}-{int(at.timestamp())}"
    return [
        Tried(target, await reason_of(send(smtp, target, message, identity, row["secret"], at)))
        for target in map(target_of, row["targets"])
    ]


def _unknown(name: str) -> NotFound:
    return NotFound(f"there is no rule {name[:SHOWN]!r}; {HOW_TO_LIST}", "name")
