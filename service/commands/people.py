"""`person`, `erase` and `erasures`: people's rights. To find and erase a person is the work of the projections.

The service does not import them, so each command becomes the command of the same name there, in the same process.
"""

from __future__ import annotations

import os
import sys

import click

# All that follows the name goes on as it is, --help included.
AS_GIVEN = {"ignore_unknown_options": True, "help_option_names": []}


def _become(name: str, arguments: tuple[str, ...]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "projections", name, *arguments])  # noqa: S606  # no shell is wanted


@click.command(context_settings=AS_GIVEN)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def person(arguments: tuple[str, ...]) -> None:
    """Write all that is stored about a user or a session."""
    _become("person", arguments)


@click.command(context_settings=AS_GIVEN)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def erase(arguments: tuple[str, ...]) -> None:
    """Erase a user or a session, and write a certificate."""
    _become("erase", arguments)


@click.command(context_settings=AS_GIVEN)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def erasures(arguments: tuple[str, ...]) -> None:
    """List erasures, check certificates, or erase again after a restore."""
    _become("erasures", arguments)
