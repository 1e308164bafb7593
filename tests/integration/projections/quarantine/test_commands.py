"""`python -m service quarantine`, from the condition as it is typed to what verify says."""

from __future__ import annotations

from pathlib import Path

import pytest

from projections.archive.kept_hours import KeptHours
from tests.support import projections_command
from tests.support.projections_command import Ended
from tests.support.quarantines import FLOOD, SINCE, UNTIL, check, counted, is_flood
from tests.support.retired_days import DAY, EVENTS, of_day
from tests.support.sharded import Sharded

pytestmark = pytest.mark.versions("newest")
ASKED = (
    "--where",
    FLOOD,
    "--from",
    f"{SINCE:%Y-%m-%dT%H:%MZ}",
    "--to",
    f"{UNTIL:%Y-%m-%dT%H:%MZ}",
    "--reason",
    "a test",
)


async def run(log: Sharded, archive: Path, *arguments: str) -> Ended:
    settings = {"HOURLEDGER_ARCHIVE_DIR": str(archive)}
    return await projections_command.run(log.url, "quarantine", *arguments, module="service", **settings)


async def test_tried_put_listed_and_lifted(log: Sharded, archive: Path, kept: KeptHours) -> None:
    days = {number: len([event for event in of_day(number, EVENTS) if is_flood(event)]) for number in range(4)}
    total = sum(days.values())
    lines = [
        f"{SINCE + number * DAY:%Y-%m-%d} shard 0: {events} event{'s' * (events != 1)}"
        for number, events in days.items()
        if events
    ]
    tried = await run(log, archive, *ASKED, "--dry-run")
    assert (tried.code, tried.output.splitlines()) == (
        0,
        [
            *(f"{line} would be left out" for line in lines),
            f"quarantine, dry run: {total} events would be left out, 4 days",
        ],
    )
    await check(log, kept, EVENTS, EVENTS)
    done = await run(log, archive, *ASKED)
    last = done.output.splitlines()[-1]
    assert (done.code, last.partition(": ")[2]) == (0, f"{total} events left out, 4 days")
    number = last.partition(": ")[0].removeprefix("quarantine ")
    await check(log, kept, EVENTS, counted(EVENTS))
    told = (await run(log, archive, "--list")).output.splitlines()
    span = f"{SINCE:%Y-%m-%dT%H:%M:%SZ} to {UNTIL:%Y-%m-%dT%H:%M:%SZ}"
    assert told[0].startswith(f"{number}: in force on 4 days: {span}: {FLOOD}: a test (")
    assert told[1] == "quarantine: 1 quarantine, 1 in force"
    lifted = await run(log, archive, "--lift", number)
    assert lifted.output.splitlines()[-1] == f"quarantine {number}: {total} events counted again, 4 days"
    await check(log, kept, EVENTS, EVENTS)
    again = await run(log, archive, "--lift", number)
    assert (again.code, again.last_error.startswith(f"error: quarantine {number} was lifted at ")) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--where", "x ~ 1"], "--from, --to, --reason must be given, too"),
        ([*ASKED, "--list"], "expected --where with --from, --to and --reason, or --list, or --lift NUMBER"),
        (["--where", "properties.a ~ 1", *ASKED[2:]], "--where: must have one of"),
        (["--where", "", *ASKED[2:]], "--where: must have a condition; event_type exists means every event"),
        ([*ASKED[:2], "--from", ASKED[5], "--to", ASKED[3], *ASKED[6:]], "--to: must be later than --from"),
        ([*ASKED, "--site", "none"], "--site none: there is no such site"),
        (["--lift", "7"], "there is no quarantine 7"),
    ],
)
async def test_what_is_refused(log: Sharded, archive: Path, arguments: list[str], message: str) -> None:
    refused = await run(log, archive, *arguments)
    assert (refused.code, message in refused.errors) == (2, True), refused.errors
