"""Exports over HTTP: what they hold in each format, who may ask, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.http.conftest import READ_TOKEN
from tests.http.support.exports import EXPORT, exported
from tests.http.support.known import Known, risk_modes
from tests.http.support.paths import ROLLUPS, TRACK
from tests.http.support.site import HOUR, Json, Site, hour_start, now, refused, text_of
from tests.support.exports import FORMATS, Row

MINUTE = timedelta(minutes=1)


def scope(known: Known) -> Json:
    """Return a range that holds most known events, including those in the future."""
    until = known.busiest() + 27 * HOUR
    return {"from": text_of(until - 60 * HOUR), "to": text_of(until)}


def listed(site: Site, **query: object) -> list[Json]:
    """Return all events of a list, page by page, oldest first."""
    events: list[Json] = []
    page: Json = {"next_cursor": ""}
    while page["next_cursor"] is not None:
        page = site.get(TRACK, **query, cursor=page["next_cursor"])
        events += page["events"]
    return events[::-1]


@pytest.mark.parametrize("form", FORMATS)
def test_events_are_those_of_the_list_oldest_first(known: Known, form: str) -> None:
    asked = scope(known)
    answer, rows = exported(known.site, format=form, received_at=1, **asked)
    events = listed(known.site, **asked)
    assert len(events) > 2_000
    assert rows == events
    assert list(rows[0]) == list(events[0])
    assert exported(known.site, format=form, **asked)[1] == [
        {name: value for name, value in event.items() if name != "received_at"} for event in events
    ]
    assert (answer.headers["x-hourledger-from"], answer.headers["x-hourledger-to"]) == (asked["from"], asked["to"])
    assert answer.headers["cache-control"] == "no-store"
    since, until = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
    name = f"events-{since:%Y%m%dT%H}Z-{until:%Y%m%dT%H}Z.{form}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


@pytest.mark.parametrize("form", FORMATS)
def test_rollups_are_those_that_are_answered(known: Known, form: str) -> None:
    asked = scope(known)
    _, rows = exported(known.site, format=form, of="rollups", **asked)
    expected = rollup_rows(known.site.get(ROLLUPS, **asked))
    assert ordered(rows) == ordered(expected)
    assert [row["hour"] for row in rows] == [row["hour"] for row in expected]
    assert len({row["measure"] for row in rows}) == 5
    assert "(other)" in {row["key"] for row in rows}
    # Compare with the sent events too.
    hour = text_of(known.busiest())
    total = known.rollup(known.busiest())
    told = {row["measure"]: row["value"] for row in rows if row["hour"] == hour and row["key"] is None}
    assert told == {name: total[name] for name in ("total_events", "unique_sessions")}


def rollup_rows(answer: Json) -> list[Row]:
    """Return the rollups of an answer as an export has them."""
    return [
        {"hour": rollup["hour"], "measure": measure, "key": key, "value": value}
        for rollup in reversed(answer["rollups"])
        for measure, told in sorted(rollup.items(), key=lambda item: isinstance(item[1], dict))
        if measure != "hour"
        for key, value in (told.items() if isinstance(told, dict) else [(None, told)])
    ]


def ordered(found: list[Row]) -> list[tuple[object, ...]]:
    return sorted(tuple(row.values()) for row in [{**row, "key": row["key"] or ""} for row in found])


def test_hours_that_the_range_cuts_have_a_row_with_their_minutes(known: Known) -> None:
    since, until = known.busiest() - 200 * HOUR + 15 * MINUTE, known.busiest() + 30 * MINUTE
    asked = {"from": text_of(since), "to": text_of(until)}
    answer, rows = exported(known.site, format="ndjson", of="rollups", **asked)
    told = known.site.get(ROLLUPS, **asked)
    (cut,) = (rollup for rollup in told["rollups"] if "from" in rollup)
    del cut["from"], cut["to"]
    minutes = {"hour": cut["hour"], "measure": "minutes", "key": None, "value": 30}
    assert ordered(rows) == ordered([*rollup_rows(told), minutes])
    name = f"rollups-{since:%Y%m%dT%H%M}Z-{until:%Y%m%dT%H%M}Z.ndjson"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'


def told_of(event: Json) -> Json:
    return dict(event.get("properties") or {})


FILTERED: list[tuple[Json, Callable[[Json], bool]]] = [
    ({"session_id": "s-7"}, lambda one: one["session_id"] == "s-7"),
    ({"action": "open", "demo_mode": "0"}, lambda one: one.get("action") == "open" and not one["demo_mode"]),
    ({"where": "properties.n > 1 and user_id = u-1"}, lambda one: "n" in told_of(one) and one["user_id"] == "u-1"),
    ({"risk_mode": "high"}, lambda one: "high" in risk_modes(one)),
    ({"event_type": "no-such-type"}, lambda one: one["event_type"] == "no-such-type"),
]  # fmt: skip


@pytest.mark.parametrize(("filters", "passes"), FILTERED)
def test_filters_are_those_of_all_reads(known: Known, filters: Json, passes: Callable[[Json], bool]) -> None:
    asked = scope(known)
    since, until = (datetime.fromisoformat(asked[name]) for name in ("from", "to"))
    expected = {event["event_id"] for event in known.between(since, until) if passes(event)}
    assert bool(expected) is ("event_type" not in filters)
    for form in FORMATS:
        _, rows = exported(known.site, format=form, **filters, **asked)
        assert {row["event_id"] for row in rows} == expected
        assert len(rows) == len(expected)


def test_the_last_hours_end_with_the_current_one(known: Known) -> None:
    while True:
        hour = hour_start(now())
        answer, rows = exported(known.site, hours=3)
        if hour == hour_start(now()):
            break
    assert answer.headers["x-hourledger-from"] == text_of(hour - 2 * HOUR)
    assert answer.headers["x-hourledger-to"] == text_of(hour + HOUR)
    assert len(rows) == len(known.between(hour - 2 * HOUR, hour + HOUR))
    assert exported(known.site, hours=3, format="ndjson", of="rollups")[1][0]["hour"] >= text_of(hour - 2 * HOUR)


def test_parquet_has_types(known: Known) -> None:
    def schema(of: str) -> dict[str, object]:
        content = known.site.client.get(EXPORT, params={"format": "parquet", "of": of}).content
        return {field.name: field.type for field in parquet.read_schema(BytesIO(content))}

    time = pa.timestamp("us", tz="UTC")
    texts = ("event_id", "event_type", "session_id", "user_id", "tool_name", "action", "properties")
    assert schema("events") == {**dict.fromkeys(texts, pa.string()), "demo_mode": pa.bool_(), "timestamp": time}
    assert schema("rollups") == {"hour": time, "measure": pa.string(), "key": pa.string(), "value": pa.int64()}


@pytest.mark.parametrize(
    ("query", "status", "code", "field"),
    [
        ("format=xlsx", 400, "invalid_parameter", "format"),
        ("of=proofs", 400, "invalid_parameter", "of"),
        ("hours=0", 400, "invalid_parameter", "hours"),
        ("hours=1&from=2025-10-18T00:00:00Z", 400, "invalid_parameter", "hours"),
        ("from=2025-10-18T00:20:00Z&to=2025-10-18T02:00:00Z", 400, "invalid_parameter", "from"),
        ("received_at=maybe", 400, "invalid_parameter", "received_at"),
        ("where=properties.n", 400, "invalid_parameter", "where"),
        ("segment=none", 400, "invalid_parameter", "segment"),
        ("of=rollups&event_type=a", 400, "invalid_parameter", "event_type"),
        ("of=rollups&received_at=1", 400, "invalid_parameter", "received_at"),
        ("limit=1", 400, "unknown_parameter", "limit"),
        ("from=2001-10-18T00:00:00Z&to=2001-10-19T00:00:00Z", 422, "expired", "to"),
    ],
)
def test_refusals_are_told_before_anything_is_sent(
    known: Known, query: str, status: int, code: str, field: str
) -> None:
    refused(known.site.client.get(f"{EXPORT}?{query}"), status, code, field)


def test_there_is_no_head_of_an_export(known: Known) -> None:
    assert known.site.client.head(EXPORT).status_code == 405


def test_the_read_token_is_asked_for(guarded: Site) -> None:
    refused(guarded.client.get(EXPORT), 401, "unauthorized")
    answer = guarded.client.get(EXPORT, headers={"authorization": f"Bearer {READ_TOKEN}"})
    assert answer.status_code == 200
