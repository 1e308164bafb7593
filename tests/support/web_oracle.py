"""The right answers about pages and visits, counted by brute force over events as the log stores them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from service.archive.questions import Trend
from service.archive.top_questions import Top
from tests.support import answer_oracle
from tests.support.funnel_oracle import Stored

Row = dict[str, Any]
Keyed = list[tuple[Stored, str | None]]


@dataclass(frozen=True)
class OfPath:
    """A division by a property."""

    divided_by: str
    path: Sequence[str] | None


def key_of(event: Stored, division: Any) -> str | None:
    """Return the key of an event by itself."""
    if division.divided_by in ("session_id", "user_id"):
        found: str | None = event[division.divided_by]
        return found
    key = answer_oracle.key_of(event, division)
    return key if key is None or len(key) <= 128 else "(other)"


def keyed(events: Sequence[Stored], passing: Sequence[Stored], asked: Top | Trend) -> Keyed:
    """Return the events that pass, each with its key. events: all of the range."""
    if asked.divided_by not in ("entry_page", "exit_page"):
        return [(event, key_of(event, asked)) for event in passing]
    pages = {session: (found[-1] if asked.divided_by == "exit_page" else found[0]) for session, found in views(events)}
    return [(event, pages.get(event["session_id"])) for event in passing]


def views(events: Sequence[Stored]) -> list[tuple[str, list[str]]]:
    """Return the pages of each session that viewed any, in their order."""
    found: dict[str, list[str]] = {}
    for event in in_order(events):
        page = key_of(event, OfPath("properties", ("path",)))
        if event["event_type"] == "page_viewed" and page is not None:
            found.setdefault(event["session_id"], []).append(page)
    return [*found.items()]


def in_order(events: Sequence[Stored]) -> list[Stored]:
    return sorted(events, key=lambda event: (event["timestamp"], event["position"], event["shard"]))


def amounts(events: Sequence[Stored], *, members: bool) -> Row:
    """Return the numbers of events, sessions and visitors."""
    sessions = {event["session_id"] for event in events}
    identified = {event["session_id"] for event in events if event["user_id"] is not None}
    users = {event["user_id"] for event in events} - {None}
    if not members:
        return {"events": len(events), "sessions": 0, "visitors": 0}
    return {"events": len(events), "sessions": len(sessions), "visitors": len(users) + len(sessions - identified)}


def top_rows(found: Keyed, asked: Top) -> list[Row]:
    of_key: dict[str, list[Stored]] = {}
    for event, key in found:
        if key is not None:
            of_key.setdefault(key, []).append(event)
    counted = {key: amounts(events, members=asked.counts_members) for key, events in of_key.items()}
    matching = [key for key in counted if asked.search is None or asked.search.lower() in key.lower()]
    named = sorted(matching, key=lambda key: (-counted[key][asked.rank], key.encode()))[: asked.most]
    sets = {
        "all": [event for event, _ in found],
        "keyed": [event for event, key in found if key is not None],
        "other": [event for event, key in found if key is not None and key not in named],
    }
    return [
        *({"kind": "key", "key": key} | counted[key] for key in named),
        *({"kind": kind, "key": None} | amounts(sets[kind], members=asked.counts_members) for kind in sorted(sets)),
    ]


def part_rows(found: Keyed, asked: Trend) -> list[Row]:
    """Return the rows of a trend about the keys of its division: their events and sessions."""
    rows = []
    for bucket, (since, until) in enumerate(zip(asked.bounds, asked.bounds[1:], strict=False), 1):
        of_key: dict[str, list[Stored]] = {}
        for event, key in found:
            if key is not None and since <= event["timestamp"] < until:
                named = key if asked.keys is None or key in asked.keys else "(other)"
                of_key.setdefault(named, []).append(event)
        for key, events in of_key.items():
            counted = {"part": len(events), "sessions": amounts(events, members=True)["sessions"]}
            rows += [
                {"bucket": bucket, "measure": measure, "key": key, "amount": counted[measure]}
                for measure in ("part", "sessions")
            ]
    return rows
