"""`person`, `erase` and `erasures`: people's rights. To find and erase a person is the work of the projections.

The service does not import them, so each command becomes the command of the same name there, in the same process.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import click

from service.erasure_options import erase_options, erasures_options, person_options

GIVEN = "hourledger.given"


class HandedOver(click.Command):
    """A command that checks its options, and hands them over as they were given."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options, and keep them as they are."""
        ctx.meta[GIVEN] = list(args)
        return super().parse_args(ctx, args)


def _become(name: str) -> None:
    given = click.get_current_context().meta[GIVEN]
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, "-m", "projections", name, *given])  # noqa: S606  # no shell is wanted


@click.command(cls=HandedOver)
@person_options
def person(**_: Any) -> None:
    """Write all that is stored about a user or a session, as JSON. FILE is for its owner only, and must not exist."""
    _become("person")


@click.command(cls=HandedOver)
@erase_options
def erase(**_: Any) -> None:
    """Erase a user or a session from the log, the archive, the rollups, the segments and the goals of a site.

    Writes a certificate. Exits 0 when all is done, 1 when some of it waits (run it again then, with the same options),
    2 when it could not be done.
    """
    _become("erase")


@click.command(cls=HandedOver)
@erasures_options
def erasures(**_: Any) -> None:
    """List erasures, one JSON object a line, and check their chain.

    With --check, compare certificates with the database, and tell whether a person is back. With --replay, erase again
    the persons of certificates that the database does not know, because it was restored from an older backup: the new
    certificates go to standard output. Exits 0 when all is right, 1 when something is wrong or waits, 2 when it could
    not be done.
    """
    _become("erasures")
