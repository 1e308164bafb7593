"""Changes of the projection's rows behind hourledger's back, and the differences that verify must report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tests.support.alterations import EMPTY, LAST, MINUTE, NEXT
from tests.support.oracle import QUARTER
from tests.support.projection import START

# field, bucket, key, stored, recounted
Wrong = tuple[str, datetime, str | None, int, int]


@dataclass(frozen=True)
class Drift:
    """A change of the projection's rows, and the differences that verify must report; {start} stands for START."""

    script: str
    wrong: list[Wrong]


def edge(bucket: datetime, previous: datetime | None, stored: int, recounted: int, kind: str = "session") -> Wrong:
    key = "-infinity" if previous is None else f"{previous:%Y-%m-%d %H:%M:%S}+00"
    return f"{kind}_edges", bucket, key, stored, recounted


DRIFTS = {
    "a count was changed": Drift(
        "update hourly_counts set events_00 = events_00 + 5 where hour = {start} and key = 'page_viewed'",
        [("event_counts", START, "page_viewed", 7, 2)],
    ),
    "a count was deleted": Drift(
        "delete from hourly_counts where hour = {start} and dimension = 'tool_name'",
        [("tool_usage", START, "Home", 0, 2)],
    ),
    "a count was added": Drift(
        "insert into hourly_counts values (0, 1, {start}, 'risk_mode', 'y', 0, 0, 3, 0)",
        [("risk_distribution", START + 2 * QUARTER, "y", 3, 0)],
    ),
    "a count of nothing was added": Drift(
        "insert into hourly_counts values (0, 1, {start} + interval '10 hours', 'event_type', 'y', 0)",
        [("event_counts", EMPTY, "y", 0, 0)],
    ),
    "a count was moved to another quarter": Drift(
        "update hourly_counts set events_15 = 0, events_30 = events_15 where key = 'x'",
        [("risk_distribution", START + QUARTER, "x", 0, 1), ("risk_distribution", START + 2 * QUARTER, "x", 1, 0)],
    ),
    "a count was moved to another hour": Drift(
        "update hourly_counts set hour = {start} + interval '10 hours' where key = 'x'",
        [("risk_distribution", START + QUARTER, "x", 0, 1), ("risk_distribution", EMPTY + QUARTER, "x", 1, 0)],
    ),
    "a count was added in every quarter": Drift(
        "insert into hourly_counts values (0, 1, {start}, 'event_type', 'y', 1, 2, 3, -4)",
        [("event_counts", START + number * QUARTER, "y", events, 0) for number, events in enumerate([1, 2, 3, -4])],
    ),
    "a key was changed": Drift(
        "update hourly_counts set key = 'search' where key = 'Search'",
        [("tool_usage", NEXT, "Search", 0, 1), ("tool_usage", NEXT, "search", 1, 0)],
    ),
    "a session was deleted": Drift(
        "delete from hourly_members where bucket = {start} and member = 's1'",
        [
            ("sessions_missing", START, None, 0, 1),
            edge(START, None, 1, 0),
            edge(NEXT, START, 1, 0),
            edge(NEXT, None, 0, 1),
        ],
    ),
    "a session was added": Drift(
        "insert into hourly_members values (0, 1, {start} + interval '15 minutes', 's9', 'session')",
        [("sessions_extra", START + QUARTER, None, 1, 0), edge(START + QUARTER, None, 1, 2)],
    ),
    "a session was added between quarters": Drift(
        "insert into hourly_members values (0, 1, {start} + interval '7 minutes', 's9', 'session')",
        [("sessions_extra", START + 7 * MINUTE, None, 1, 0)],
    ),
    "a session was added where nothing is": Drift(
        "insert into hourly_members values (0, 1, {start} + interval '10 hours', 's9', 'session')",
        [("sessions_extra", EMPTY, None, 1, 0), edge(EMPTY, None, 0, 1)],
    ),
    "a session was exchanged": Drift(
        "update hourly_members set member = 's9' where bucket = {start} and member = 's1'",
        [
            ("sessions_missing", START, None, 0, 1),
            ("sessions_extra", START, None, 1, 0),
            edge(NEXT, START, 1, 0),
            edge(NEXT, None, 0, 1),
        ],
    ),
    "a user was deleted": Drift(
        "delete from hourly_members where kind = 'user' and bucket = {start} + interval '1 hour'",
        [
            ("users_missing", NEXT, None, 0, 1),
            edge(NEXT, None, 1, 0, "user"),
            edge(LAST, NEXT, 1, 0, "user"),
            edge(LAST, None, 0, 1, "user"),
        ],
    ),
    "a user was added": Drift(
        "insert into hourly_members values (0, 1, {start}, 'u9', 'user')",
        [("users_extra", START, None, 1, 0), edge(START, None, 0, 1, "user")],
    ),
    "another session was identified": Drift(
        "update hourly_members set member = 's2' where kind = 'identified' and bucket = {start} + interval '1 hour'",
        [
            ("identified_missing", NEXT, None, 0, 1),
            ("identified_extra", NEXT, None, 1, 0),
            edge(LAST, NEXT, 0, 1, "identified"),
            edge(LAST, None, 1, 0, "identified"),
        ],
    ),
    "a user was said to be a session": Drift(
        "update hourly_members set kind = 'session' where kind = 'user' and bucket = {start} + interval '1 hour'",
        [
            ("sessions_extra", NEXT, None, 1, 0),
            ("users_missing", NEXT, None, 0, 1),
            edge(NEXT, None, 0, 1),
            edge(NEXT, None, 1, 0, "user"),
            edge(LAST, NEXT, 1, 0, "user"),
            edge(LAST, None, 0, 1, "user"),
        ],
    ),
    "an edge of users was changed": Drift(
        "update hourly_edges set members = 2 where kind = 'user' and bucket = {start} + interval '3 hours'",
        [edge(LAST, NEXT, 2, 1, "user")],
    ),
    "an edge of users was made to start elsewhere": Drift(
        "update hourly_edges set previous = '-infinity' where kind = 'user' and bucket = {start} + interval '3 hours'",
        [edge(LAST, NEXT, 0, 1, "user"), edge(LAST, None, 1, 0, "user")],
    ),
    "an edge was changed": Drift(
        "update hourly_edges set members = 2 where kind = 'session' and bucket = {start} + interval '1 hour'",
        [edge(NEXT, START, 2, 1)],
    ),
    "an edge was deleted": Drift(
        "delete from hourly_edges where bucket = {start} + interval '15 minutes'",
        [edge(START + QUARTER, None, 0, 1)],
    ),
    "an edge was added": Drift(
        "insert into hourly_edges values (0, 1, {start} + interval '45 minutes', {start}, 1, 'session')",
        [edge(START + 3 * QUARTER, START, 1, 0)],
    ),
    "an edge was added between quarters": Drift(
        "insert into hourly_edges values (0, 1, {start} + interval '7 minutes', '-infinity', 1, 'session')",
        [edge(START + 7 * MINUTE, None, 1, 0)],
    ),
    "an edge was added where nothing is": Drift(
        "insert into hourly_edges values (0, 1, {start} + interval '10 hours', '-infinity', 1, 'session')",
        [edge(EMPTY, None, 1, 0)],
    ),
    "an edge was made to start elsewhere": Drift(
        "update hourly_edges set previous = '-infinity'"
        " where kind = 'session' and bucket = {start} + interval '1 hour'",
        [edge(NEXT, START, 0, 1), edge(NEXT, None, 1, 0)],
    ),
}
