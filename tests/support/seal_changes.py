"""Changes of what was sealed that someone could make behind hourledger's back."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.support import oracle
from tests.support.oracle import HOUR
from tests.support.retired_days import EVENTS, day

Fields = dict[datetime, set[str]]


@dataclass(frozen=True)
class Change:
    """A change behind hourledger's back, and the fields that verify must name in each hour that is broken or drifted.

    edges: the change may also drift the edges of later hours. whole: stored = live + retired still holds.
    """

    script: str
    broken: Fields = field(default_factory=dict)
    drifted: Fields = field(default_factory=dict)
    edges: bool = False
    whole: bool = True


FIRST, SECOND, THIRD, NEXT = day(1), day(1) + 7 * HOUR, day(1) + 23 * HOUR, day(2)
EMPTY = day(1) + 12 * HOUR
NEWEST = day(3) + 23 * HOUR
HOURS = sorted({oracle.start_of(event.timestamp, HOUR) for event in EVENTS if event.timestamp < day(4)})
DAY_TOTAL: Fields = {hour: {"retired_events"} for hour in (FIRST, SECOND, THIRD)}
OF_EDGES = {"session_edges", "user_edges", "identified_edges"}
ROWS = {"rows_high", "rows_low"}
WITNESSES = {"events", "position_sum", "digest_high", "digest_low"}
PLACES = {
    name: f"timestamptz '{at:%Y-%m-%d %H:%M}+00'"
    for name, at in {
        "first": FIRST,
        "second": SECOND,
        "next": NEXT,
        "empty": EMPTY,
        "newest": NEWEST,
        "fourth": day(4),
    }.items()
}


def also(*fields: Fields) -> Fields:
    """Merge fields by hour."""
    hours = {hour for each in fields for hour in each}
    return {hour: {name for each in fields for name in each.get(hour, ())} for hour in hours}


def of_seal(script: str, *fields: Fields) -> Change:
    """Return a change of SECOND's seal."""
    return Change("update hour_seals set CHANGE where hour = {second}".replace("CHANGE", script), also(*fields))


def of_row(table: str, script: str, *, condition: str = "true", **wrong: Any) -> Change:
    """Return a change of one row of the projection in SECOND's first quarter."""
    one = " where ctid = (select min(ctid) from TABLE where BEGINS = {second} and CONDITION)"
    begins = "hour" if table == "hourly_counts" else "bucket"
    whole = (script + one).replace("TABLE", table).replace("BEGINS", begins)
    return Change(whole.replace("CONDITION", condition), **wrong)


ROWS_BROKEN: dict[str, Any] = {"broken": {SECOND: ROWS}}
SESSIONS_BROKEN: dict[str, Any] = {"broken": {SECOND: ROWS}, "edges": True}
EDGES: dict[str, Any] = {"drifted": {SECOND: {"session_edges"}}}
DOCUMENT: dict[str, Any] = {"drifted": {SECOND: {"document"}}}
UNKNOWN: dict[str, Any] = {"broken": {EMPTY: {"seal_missing"}}}
OF_SESSIONS = "kind = 'session'"
TYPED = "dimension = 'event_type'"
NEXT_QUARTER = (
    "update TABLE set events_00 = events_45, events_15 = events_00, events_30 = events_15, events_45 = events_30"
)
CHANGES = {
    "seal: another shard": of_seal("shard = shard # 1", {SECOND: {"seal_missing"}, THIRD: {"seal_before"}}, DAY_TOTAL),
    "seal: another place": of_seal(
        "sequence = sequence + 64", {SECOND: {"seal", "seal_before"}, THIRD: {"seal_before"}}
    ),
    "seal: another hour": of_seal("hour = {empty}", {SECOND: {"seal_missing"}, EMPTY: {"seal", *ROWS, *WITNESSES}}),
    "seal: a microsecond later": of_seal(
        "hour = hour + interval '1 microsecond'",
        {SECOND: {"seal_missing"}, SECOND + timedelta(microseconds=1): {"seal", *OF_EDGES, *ROWS, *WITNESSES}},
    ),
    "seal: document": of_seal("document = replace(document::text, 'sessions', 'Sessions')::json", {SECOND: {"seal"}}),
    "seal: events": of_seal("events = events # 1", {SECOND: {"seal", "events"}}, DAY_TOTAL),
    **{
        f"seal: {column}": of_seal(f"{column} = {column} + 1", {SECOND: {"seal", column}})
        for column in ("position_sum", "digest_high", "digest_low", "rows_high", "rows_low")
    },
    "seal: code version": of_seal("code_version = code_version || ' '", {SECOND: {"seal"}}),
    "seal: time": of_seal("sealed_at = sealed_at + interval '1 microsecond'", {SECOND: {"seal"}}),
    "seal: hash before": of_seal(
        "previous_hash = set_bit(previous_hash, 7, 1 - get_bit(previous_hash, 7))", {SECOND: {"seal", "seal_before"}}
    ),
    "seal: hash": of_seal(
        "hash = set_bit(hash, 255, 1 - get_bit(hash, 255))", {SECOND: {"seal"}, THIRD: {"seal_before"}}
    ),
    "a seal in the middle was deleted": Change(
        "delete from hour_seals where hour = {second}",
        also({SECOND: {"seal_missing"}, THIRD: {"seal_before"}}, DAY_TOTAL),
    ),
    "the first seal was deleted": Change(
        "delete from hour_seals where sequence = 1",
        also({hour: {"retired_events"} for hour in HOURS[:3]}, {HOURS[0]: {"seal_missing"}, HOURS[1]: {"seal_before"}}),
    ),
    "the newest seal was deleted": Change(
        "delete from hour_seals where hour = {newest}",
        also({hour: {"retired_events"} for hour in HOURS[-3:]}, {NEWEST: {"seal_missing"}}),
    ),
    "all seals were deleted": Change(
        "delete from hour_seals",
        also(
            {hour: {"retired_events", "seal_missing"} for hour in HOURS}, {day(n): {"seal_missing"} for n in range(4)}
        ),
    ),
    "two seals were exchanged": Change(
        """
        update hour_seals set sequence = 1000 where sequence = 5;
        update hour_seals set sequence = 5 where sequence = 6;
        update hour_seals set sequence = 6 where sequence = 1000
        """,
        {SECOND: {"seal", "seal_before"}, THIRD: {"seal", "seal_before"}, NEXT: {"seal_before"}},
    ),
    "a day's total was changed": Change(
        "update retired_days set events = events + 1 where day = ({first} at time zone 'UTC')::date",
        DAY_TOTAL,
        whole=False,
    ),
    "a day's total was deleted": Change(
        "delete from retired_days where day = ({first} at time zone 'UTC')::date", DAY_TOTAL, whole=False
    ),
    "a day's total was moved": Change(
        "update retired_days set day = day - 100 where day = ({first} at time zone 'UTC')::date",
        also(DAY_TOTAL, {FIRST - timedelta(days=100): {"seal_missing", "retired_events"}}),
    ),
    "the total of a day without events was changed": Change(
        "insert into retired_days values (0, ({fourth} at time zone 'UTC')::date, 3, now())",
        {day(4): {"seal_missing", "retired_events"}},
        whole=False,
    ),
    "the shard's total was changed": Change("update shard_totals set compacted = compacted + 1", whole=False),
    "rollups are said to be deleted": Change(
        "update shard_totals set rollups_since = {next}", dict.fromkeys(HOURS[:6], ROWS)
    ),
    "the ledger was changed": Change(
        "update hour_ledger set digest_low = digest_low + 1 where hour = {second}", {SECOND: {"digest_low"}}
    ),
    "the ledger was deleted": Change("delete from hour_ledger where hour = {second}", {SECOND: WITNESSES}),
    "the ledger has an hour more": Change("insert into hour_ledger values (0, {empty}, 1, 1, 1, 1)", **UNKNOWN),
    "a receipt was added": Change(
        "insert into receipts values (0, 1, {second}, 1, 0, 0, 0)", {SECOND: {"events"}}, whole=False
    ),
    "a count was changed": of_row(
        "hourly_counts", "update TABLE set events_00 = events_00 # 1", condition=TYPED, **ROWS_BROKEN
    ),
    "a key was changed": of_row("hourly_counts", "update TABLE set key = key || ' '", condition=TYPED, **ROWS_BROKEN),
    "a count was moved": of_row("hourly_counts", NEXT_QUARTER, condition=TYPED, **ROWS_BROKEN),
    "a count was moved to another hour": of_row(
        "hourly_counts",
        "update TABLE set hour = hour + interval '1 hour'",
        condition=TYPED,
        broken={SECOND: ROWS, SECOND + HOUR: {"seal_missing"}},
    ),
    "a count was deleted": of_row("hourly_counts", "delete from TABLE", condition=TYPED, **ROWS_BROKEN),
    "a count was added": Change(
        "insert into hourly_counts values (0, 1, {second}, 'tool_name', 'y', 0)", **ROWS_BROKEN
    ),
    "a session was changed": of_row("hourly_members", "update TABLE set member = member || ' '", **SESSIONS_BROKEN),
    "a session was deleted": of_row("hourly_members", "delete from TABLE", **SESSIONS_BROKEN),
    "a session was added": Change(
        "insert into hourly_members values (0, 1, {second}, 'y', 'session')", **SESSIONS_BROKEN
    ),
    "an edge was changed": of_row(
        "hourly_edges", "update TABLE set members = members + 1", condition=OF_SESSIONS, **EDGES
    ),
    "an edge was deleted": of_row("hourly_edges", "delete from TABLE", condition=OF_SESSIONS, **EDGES),
    "an edge of users was changed": of_row(
        "hourly_edges",
        "update TABLE set members = members + 1",
        condition="kind = 'user'",
        drifted={SECOND: {"user_edges"}},
    ),
    "an edge was added": Change(
        "insert into hourly_edges values (0, 1, {second} + interval '45 minutes', '-infinity', 2, 'session')", **EDGES
    ),
    "an edge was added between quarters": Change(
        "insert into hourly_edges values (0, 1, {second} + interval '1 minute', '-infinity', 2, 'session')", **EDGES
    ),
    "a document was changed": Change(
        "update hourly_documents set document = replace(document::text, 'sessions', 'Sessions')::json"
        " where hour = {second}",
        **DOCUMENT,
    ),
    "a document's events were changed": Change(
        "update hourly_documents set events = events # 1 where hour = {second}", **DOCUMENT
    ),
    "a document was deleted, and nobody needs it": Change("delete from hourly_documents where hour = {second}"),
    "a count was added to an empty hour": Change(
        "insert into hourly_counts values (0, 1, {empty}, 'tool_name', 'y', 1)", **UNKNOWN
    ),
    "a session was added to an empty hour": Change(
        "insert into hourly_members values (0, 1, {empty}, 's1', 'session')", edges=True, **UNKNOWN
    ),
    "an edge was added to an empty hour": Change(
        "insert into hourly_edges values (0, 1, {empty}, '-infinity', 1, 'session')", **UNKNOWN
    ),
    "a document was added to an empty hour": Change(
        "insert into hourly_documents values (0, 1, {empty}, '{{}}', 1, 1, 1)", **UNKNOWN
    ),
}
CHANGES_OF_DELETED = {
    "a seal was changed": of_seal("code_version = ''", {SECOND: {"seal"}}),
    "all seals of a day were deleted": Change(
        "delete from hour_seals where hour >= {first} and hour < {next}",
        {FIRST: {"seal_missing", "retired_events"}, NEXT: {"seal_before"}},
    ),
    "a day's total was deleted": CHANGES["a day's total was deleted"],
    "a count was added": CHANGES["a count was added"],
    "a session was added": CHANGES["a session was added"],
    "an edge was added": CHANGES["an edge was added"],
    "a document was added": Change("insert into hourly_documents values (0, 1, {second}, '{{}}', 1, 1, 1)", **DOCUMENT),
    "rollups are said to be there": Change(
        "update shard_totals set rollups_since = '-infinity'", dict.fromkeys(HOURS[:6], ROWS | WITNESSES)
    ),
}
