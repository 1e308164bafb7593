"""The size on disk of an event, and of an hour of rollups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from bench.ground import RETENTION_DAYS, WEB, DataSet, Ground, Grounds, columns_of, empty
from bench.rows import NotCounted, Row, Spread, Unit, most
from bench.web_data import HOURS, RISK_MODES, web_events
from projections.projector import catch_up, step, tidy
from service.ingest.event import Event

BYTES = Unit("bytes", more_is_better=False)
ESTIMATE = "the old system's estimate"

QUARTERS = HOURS * 4
# Enough events that each quarter of an hour has each key, and sessions have every length.
FOLDS_PER_QUARTER = 5
EVENTS_PER_FOLD = 30
EVENT_TYPES = (
    "page_viewed", "page_left", "link_followed", "form_sent", "tool_opened", "tool_used", "risk_mode_changed",
)  # fmt: skip
TOOLS = ("Home", "Search", "Reader", "Editor", "Settings")
KEYS = len(EVENT_TYPES) + len(TOOLS) + len(RISK_MODES)


async def measure(grounds: Grounds) -> list[Row]:
    """Measure a log whose receipts are compacted and which was vacuumed, and rollups that were folded just now."""
    ground = await grounds.of(WEB)
    return [*await _log_rows(ground), *await _rollup_rows(grounds)]


async def _log_rows(ground: Ground) -> list[Row]:
    await catch_up(ground.database)
    await tidy(ground.database, RETENTION_DAYS)
    await ground.database.rows(ground.statements.vacuum)
    events = await ground.verify()
    found = await ground.database.rows(ground.statements.list_log_sizes)
    sizes = {row["part"]: row["bytes"] / events for row in found}
    what = f"bytes per event of {events:,}, receipts compacted"
    return [
        Row(f"{what}, all of it", BYTES, _one(sum(sizes.values())), ESTIMATE, _one(1024), most(550)),
        *(Row(f"{what}, {part}", BYTES, _one(size)) for part, size in sizes.items()),
    ]


async def _rollup_rows(grounds: Grounds) -> list[Row]:
    """Measure rollups of a log of their own, folded while events arrive, so that rows are updated as in production."""
    events = QUARTERS * FOLDS_PER_QUARTER * EVENTS_PER_FOLD
    data = DataSet(f"{KEYS} keys", _events_of_all_keys)
    async with empty(replace(grounds.size, events=events, hours=HOURS), data) as ground:
        await _append_and_fold(ground)
        if await ground.verify() != events:
            raise NotCounted(f"the log does not hold {events:,} events")
        found = {row["part"]: row for row in await ground.database.rows(ground.statements.list_rollup_sizes)}
    hours = found["hourly_documents"]["rows"]
    if found["hourly_counts"]["quarters"] < 0.98 * KEYS * QUARTERS:
        raise NotCounted(f"not every quarter of an hour has {KEYS} keys")
    sizes = {part: row["bytes"] / hours for part, row in found.items()}
    what = f"bytes per rollup hour of {KEYS} keys in all 4 quarters"
    total = _one(sum(sizes.values()))
    return [
        Row(f"{what}, without sessions", BYTES, total, ESTIMATE, _one(2048), most(6000), data=data.name),
        *(
            Row(f"{what}, {part}: {found[part]['rows'] / hours:.1f} rows", BYTES, _one(size), data=data.name)
            for part, size in sizes.items()
        ),
    ]


async def _append_and_fold(ground: Ground) -> None:
    """Append and fold a few events at a time, and vacuum after each day of events. Autovacuum would run more often."""
    database = ground.database
    events = ground.data.events(ground.size.events, ground.size.hours)
    for number in range(1, QUARTERS * FOLDS_PER_QUARTER + 1):
        await ground.append(columns_of(events, EVENTS_PER_FOLD))
        await step(database)
        if number % (24 * 4 * FOLDS_PER_QUARTER) == 0:
            await database.rows(ground.statements.vacuum)


def _events_of_all_keys(count: int, hours: int) -> Iterator[Event]:
    """Yield the events of the data set `web`, changed to go through all keys in turn."""
    for number, event in enumerate(web_events(count, hours)):
        turn = number // len(EVENT_TYPES)
        yield event._replace(
            event_type=EVENT_TYPES[number % len(EVENT_TYPES)],
            tool_name=TOOLS[number % len(TOOLS)],
            properties=f'{{"risk_mode": "{RISK_MODES[turn % len(RISK_MODES)]}"}}',
        )


def _one(value: float) -> Spread:
    return Spread((value,))
