"""The right answers about pages and visits, counted by brute force over events as the log stores them."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from math import ceil, floor
from statistics import median
from typing import Any

from service.archive.conversion_questions import Conversions
from service.archive.measure_questions import Measured, Numbers, Visits
from service.archive.path_questions import Paths
from service.archive.questions import Trend
from service.archive.top_questions import Top
from tests.support import answer_oracle
from tests.support.funnel_oracle import Stored

MICROSECOND = timedelta(microseconds=1)

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


def keyed(events: Sequence[Stored], passing: Sequence[Stored], asked: Top | Trend | Measured | Conversions) -> Keyed:
    """Return the events that pass, each with its key. events: all of the range."""
    if asked.divided_by is None:
        return [(event, None) for event in passing]
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


def visit_rows(events: Sequence[Stored], found: Keyed, asked: Visits) -> list[Row]:
    """Return the rows of all visits with an event in `found`, and of those of each key. events: all of the range."""
    of_session: dict[str, list[Stored]] = {}
    for event in in_order(events):
        of_session.setdefault(event["session_id"], []).append(event)
    sets: dict[tuple[bool, str | None], set[str]] = {(True, None): {event["session_id"] for event, _ in found}}
    for event, key in found if asked.divided_by is not None else ():
        if key is not None:
            named = key if asked.keys is None or key in asked.keys else "(other)"
            sets.setdefault((False, named), set()).add(event["session_id"])
    rows = []
    for (whole, key), sessions in sets.items():
        by_bucket: dict[int, list[list[Stored]]] = {}
        for visit in (of_session[session] for session in sessions):
            by_bucket.setdefault(bisect_right(asked.bounds, visit[0]["timestamp"]), []).append(visit)
        rows += [{"bucket": bucket, "whole": whole, "key": key} | of_visits(vs) for bucket, vs in by_bucket.items()]
    return rows


def of_visits(visits: Sequence[Sequence[Stored]]) -> Row:
    kinds = [Counter(event["event_type"] for event in visit) for visit in visits]
    durations = [(visit[-1]["timestamp"] - visit[0]["timestamp"]) // MICROSECOND for visit in visits]
    return {
        "visits": len(visits),
        "views": sum(each["page_viewed"] for each in kinds),
        "bounces": sum(each["page_viewed"] == 1 and each.total() == 1 + each["page_left"] for each in kinds),
        "median": median(durations) / 1e6,
    }


def number_rows(found: Keyed, asked: Numbers) -> list[Row]:
    values: dict[tuple[int, bool, str | None], list[Decimal | None]] = {}
    for event, key in found:
        value = answer_oracle.exact_properties(event).get(asked.of[0])
        if value is None:
            continue
        number = decimal_of(value)
        bucket = bisect_right(asked.bounds, event["timestamp"])
        values.setdefault((bucket, True, None), []).append(number)
        if asked.divided_by is not None and key is not None:
            named = key if asked.keys is None or key in asked.keys else "(other)"
            values.setdefault((bucket, False, named), []).append(number)
    return [
        {"bucket": bucket, "whole": whole, "key": key} | of_numbers(of_key, with_quantiles=asked.with_quantiles)
        for (bucket, whole, key), of_key in values.items()
    ]


def decimal_of(value: object) -> Decimal | None:
    """Return the number of a value, None when it is none or has too many digits."""
    if not isinstance(value, answer_oracle.Digits):
        return None
    number = Decimal(value)
    return number if abs(number) < Decimal(10) ** 15 else None


def of_numbers(values: Sequence[Decimal | None], *, with_quantiles: bool) -> Row:
    numbers = sorted(value for value in values if value is not None)
    some = numbers if with_quantiles else []
    return {
        "numbers": len(numbers),
        "not_numbers": len(values) - len(numbers),
        "sum": text(sum(numbers)) if numbers else None,
        "minimum": text(numbers[0]) if numbers else None,
        "maximum": text(numbers[-1]) if numbers else None,
        "median": quantile(some, 0.5),
        "p90": quantile(some, 0.9),
    }


def text(number: Decimal | int) -> str:
    return f"{number:.14f}"


def quantile(numbers: Sequence[Decimal], part: float) -> float | None:
    """Return the value between the two neighbours of a place, as PostgreSQL's percentile_cont does."""
    if not numbers:
        return None
    place = part * (len(numbers) - 1)
    low, high = float(numbers[floor(place)]), float(numbers[ceil(place)])
    return low + (high - low) * (place - floor(place))


def conversion_rows(
    found: Keyed, events: Sequence[Stored], goal: Collection[tuple[int, int]], asked: Conversions
) -> list[Row]:
    """Return the rows of sql/archive/conversions.sql. events: all of the range. goal: which of them reach the goal."""
    reached: dict[str, list[Stored]] = {}
    for event in events:
        if (event["shard"], event["position"]) in goal:
            reached.setdefault(event["session_id"], []).append(event)
    groups: dict[tuple[bool, str | None], list[Stored]] = {}
    of_key: dict[str, set[str]] = {}
    for event, key in found:
        groups.setdefault((True, None), []).append(event)
        if key is not None and key != "(other)":
            of_key.setdefault(key, set()).add(event["session_id"])
    named = sorted(of_key, key=lambda key: (-len(of_key[key]), key.encode()))[: asked.most]
    for event, key in found if asked.divided_by is not None else ():
        if key is not None:
            groups.setdefault((False, key if key in named else "(other)"), []).append(event)
    return [
        {"whole": whole, "key": key} | of_conversions(of_group, reached, asked)
        for (whole, key), of_group in groups.items()
    ]


def of_conversions(events: Sequence[Stored], reached: dict[str, list[Stored]], asked: Conversions) -> Row:
    sessions = {event["session_id"] for event in events}
    identified = {event["session_id"] for event in events if event["user_id"] is not None}
    users = {event["user_id"] for event in events} - {None}
    of_reached = {event["user_id"] for event in events if event["session_id"] in reached} - {None}
    strangers = sessions - identified
    conversions = [event for session in sessions for event in reached.get(session, [])]
    numbers = [
        number
        for event in conversions
        if asked.value and (number := decimal_of(answer_oracle.exact_properties(event).get(asked.value[0]))) is not None
    ]
    return {
        "sessions": len(sessions),
        "reached_sessions": len(sessions & reached.keys()),
        "visitors": len(users) + len(strangers),
        "reached_visitors": len(of_reached) + len(strangers & reached.keys()),
        "conversions": len(conversions),
        "value": text(sum(numbers)) if numbers else None,
    }


def path_tree(visits: Sequence[Sequence[str]], asked: Paths) -> Row:
    """Return the tree of visits that view the page. visits: the pages of each, in order."""
    taken = []
    for pages in visits:
        steps = [page for place, page in enumerate(pages) if place == 0 or page != pages[place - 1]]
        if asked.page in steps:
            at = steps.index(asked.page)
            taken.append(steps[at::-1] if asked.backwards else steps[at:])
    return subtree(asked.page, taken, asked.depth, asked.most)


def subtree(page: str, taken: Sequence[Sequence[str]], depth: int, most: int) -> Row:
    """Return the tree below a page. taken: paths that begin with it."""
    by_next: dict[str, list[Sequence[str]]] = {}
    for path in taken:
        if len(path) > 1 and depth:
            by_next.setdefault(path[1], []).append(path[1:])
    largest = sorted(by_next, key=lambda each: (-len(by_next[each]), each.encode()))
    return {
        "page": page,
        "visits": len(taken),
        "next": [subtree(each, by_next[each], depth - 1, most) for each in largest[:most]],
        "other": sum(len(by_next[each]) for each in largest[most:]),
        "left": sum(len(path) == 1 for path in taken),
    }
