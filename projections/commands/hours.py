"""Hours in the options and the output of commands."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import click


class Hour(click.ParamType[datetime]):
    """A whole hour in ISO-8601; UTC when it has no offset."""

    name = "hour"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the hour, in UTC."""
        try:
            moment = datetime.fromisoformat(value)
            moment = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not an hour in ISO-8601, such as 2025-10-18T01:00Z", param, ctx)
        if moment != moment.replace(minute=0, second=0, microsecond=0):
            self.fail(f"{value!r} is not a whole hour", param, ctx)
        return moment


def _after_since(ctx: click.Context, _: click.Parameter, until: datetime | None) -> datetime | None:
    """Return the end of the range. Refuse an empty range, because it would verify as clean."""
    since = ctx.params["since"]
    if since and until and until <= since:
        raise click.BadParameter("must be later than --from")
    return until


since_option = click.option(
    "--from", "since", type=Hour(), is_eager=True, help="First whole hour (ISO-8601, UTC). Default: the oldest hour."
)
until_option = click.option(
    "--to", "until", type=Hour(), callback=_after_since, help="Whole hour to stop before. Default: after the newest."
)


def hour_text(moment: datetime) -> str:
    """Return an hour as commands print it: YYYY-MM-DDThh:mmZ."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%MZ}"
