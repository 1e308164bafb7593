"""What is stored about a person (GDPR Art. 15): events of the log and of the archive, rollups and saved filters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec

from projections.archive.numbers import BEGINNING
from projections.archive.thread import in_thread
from projections.erasing.erasure import Erasing
from projections.erasing.finding import Person, ask_files, held_files
from projections.erasing.moments import utc_text
from projections.erasing.saved_filters import SavedFilters, saved_filters
from sql.database import Row
from sql.statements import EVENT_COLUMNS

DETACHED_NOTE = "events of days that have left the log and can be brought back are counted, but not listed"


async def everything(erasing: Erasing) -> dict[str, Any]:
    """Return all that is stored about a person, as JSON.

    Of days whose events are gone only the rollups are left: the quarters of an hour in which the person was active.
    Raises OSError and sql.errors.DatabaseError.
    """
    person = await erasing.look()
    ids = [(person.subject.kind, person.subject.id)]
    saved = await saved_filters(erasing.database, erasing.site, [person.subject.id])
    rollups = await erasing.rollups(ids)
    events = await _events(erasing, person)
    return {
        "site": erasing.site,
        "kind": person.subject.kind,
        "id": person.subject.id,
        "first_seen": utc_text(min((place.since for place in person.places), default=None)),
        "last_seen": utc_text(max((place.until for place in person.places), default=None)),
        "sessions": [_session(person, session) for session in person.sessions],
        "active_quarters": sum(row["quarters"] for row in rollups),
        "active_since": utc_text(min((row["since"] for row in rollups), default=None)),
        "segments": saved.segments,
        "goals": saved.goals,
        "share_links": saved.share_links,
        "views": saved.views,
        "events_stored": sum(place.events for place in person.places),
        "note": DETACHED_NOTE if sum(place.events for place in person.places) != len(events) else None,
        "events": events,
    }


def told(person: Person, members: Sequence[Row], saved: SavedFilters) -> dict[str, Any]:
    """Return what an erasure would take, as JSON: the answer of a dry run."""
    by_where: dict[str, int] = {}
    for place in person.places:
        by_where[place.where] = by_where.get(place.where, 0) + place.events
    return {
        "kind": person.subject.kind,
        "events": sum(by_where.values()),
        "events_by_place": by_where,
        "days": len({place.day for place in person.places}),
        "sessions": len(person.sessions),
        "sessions_that_name_others": person.shared,
        "rollup_rows": sum(row["quarters"] for row in members),
        "segments": saved.segments,
        "goals": saved.goals,
        "share_links": saved.share_links,
        "views": saved.views,
    }


def _session(person: Person, session: str) -> dict[str, Any]:
    places = [place for place in person.places if place.session == session]
    return {
        "session_id": session,
        "events": sum(place.events for place in places),
        "first_seen": utc_text(min((place.since for place in places), default=None)),
        "last_seen": utc_text(max((place.until for place in places), default=None)),
        "names_others": person.shared.get(session, 0),
    }


async def _events(erasing: Erasing, person: Person) -> list[dict[str, Any]]:
    who = {"users": list(person.users), "sessions": list(person.sessions)}
    rows = await erasing.database.rows(erasing.database.statements.list_person, list(erasing.shards), *who.values())
    found = [tuple(row) for row in rows]
    for files in (await held_files(erasing.database, erasing.archive, erasing.shards)).values():
        kept = await in_thread(partial(ask_files, erasing.archive, files, "list_person", **who))
        found += [(*row[:-2], *(BEGINNING + timedelta(microseconds=each) for each in row[-2:])) for row in kept]
    return [_event(row) for row in sorted(found, key=lambda row: (row[-2], row[0]))]


def _event(row: tuple[Any, ...]) -> dict[str, Any]:
    event = dict(zip(EVENT_COLUMNS, row, strict=True))
    properties = event["properties"]
    event["properties"] = None if properties is None else msgspec.Raw(properties.encode())
    return event | {name: utc_text(event[name]) for name in ("timestamp", "received_at")}
