"""The options of the commands of people's rights: of the service, and of the projections, which do the work."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def _all(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_whom = (
    click.option("--user", "user_id", metavar="ID", help="A user, by the user_id of events."),
    click.option("--session", "session_id", metavar="ID", help="A session, by its session_id."),
    click.option("--site", metavar="NAME", help="The site; without it the default site."),
)
_file = click.Path(dir_okay=False, path_type=Path)
person_options: Callable[[Any], Any] = _all(
    *_whom, click.option("--output", metavar="FILE", type=_file, help="Else standard output.")
)
erase_options: Callable[[Any], Any] = _all(
    *_whom,
    click.option(
        "--sessions",
        type=click.Choice(["all", "named"]),
        default="all",
        show_default=True,
        help="all: sessions that named the user go whole. named: of those that name others, only the user's events go.",
    ),
    click.option("--keep-counts", is_flag=True, help="Put a stranger in the person's place, so that numbers stay."),
    click.option("--dry-run", is_flag=True, help="Print what would be erased, and erase nothing."),
    click.option("--output", metavar="FILE", type=_file, help="For the certificate; else standard output."),
)
erasures_options: Callable[[Any], Any] = _all(
    click.option(
        "--check", "checked", type=click.File("rb"), metavar="FILE", help="Certificates, one JSON object a line."
    ),
    click.option("--replay", "replayed", type=click.File("rb"), metavar="FILE", help="Erase these after a restore."),
)
