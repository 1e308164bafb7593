"""The right rows of answers about raw events, counted by brute force over events as the log stores them.

They are the rows of the statements in sql/archive; numbers of properties keep all their digits.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from typing import Any

from service.archive.questions import WHOLE, Cohorts, Funnel, Properties, Trend
from service.ingest.event import Event
from sql.hourly import DIMENSIONS
from tests.support import funnel_oracle, oracle
from tests.support.funnel_oracle import Stored

Row = dict[str, Any]
Path = tuple[str, ...]


class Digits(str):
    """A number, written out with all its digits."""

    __slots__ = ()

    @classmethod
    def of(cls, text: str) -> Digits:
        return cls(format(Decimal(text), "f"))

    @property
    def shortest(self) -> str:
        """The same number without zeros at the end of its fraction."""
        return self.rstrip("0").rstrip(".") if "." in self else str(self)


def event_of(stored: Stored) -> Event:
    return Event(*(stored[name] for name in Event._fields))


def exact_properties(stored: Stored) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(stored["properties"] or "{}", parse_int=Digits.of, parse_float=Digits.of)
    return found


def trend_rows(passing: Sequence[Stored], asked: Trend) -> list[Row]:
    named = {*asked.named} - {"identified"}
    if {"sessions", "users"} <= named:
        named.add("identified")
    events = [*map(event_of, passing)]
    counted = oracle.trend(events, asked.bounds, named, asked.keys, asked.divided_by)
    if asked.whole:
        of_all = oracle.trend(events, [asked.bounds[0], asked.bounds[-1]], named, asked.keys, asked.divided_by)
        counted = _without_keys(counted) + Counter({(WHOLE, *place[1:]): amount for place, amount in of_all.items()})
    return [
        {"bucket": bucket, "measure": measure, "key": key, "amount": amount}
        for (bucket, measure, key), amount in oracle.of_raw_events(counted, named).items()
    ]


def _without_keys(counted: oracle.Trend) -> oracle.Trend:
    """Return the counts with those of a dimension's keys as one."""
    found: oracle.Trend = Counter()
    for (bucket, measure, key), amount in counted.items():
        found[bucket, measure, None if measure in DIMENSIONS else key] += amount
    return found


def cohort_rows(events: Sequence[Stored], passing: Collection[Stored], asked: Cohorts) -> list[Row]:
    """Return the rows of all events; those that pass are among them."""
    looked_at = [event for event in events if event["timestamp"] < asked.bounds[-1]]
    identified = {event["session_id"] for event in looked_at if event["user_id"] is not None}
    entering = {(event["shard"], event["position"]) for event in passing}
    lives: dict[tuple[str, str], list[Stored]] = {}
    for event in looked_at:
        if event["user_id"] is not None:
            lives.setdefault(("user", event["user_id"]), []).append(event)
        elif asked.by == "visitor" and event["session_id"] not in identified:
            lives.setdefault(("session", event["session_id"]), []).append(event)

    def period(event: Stored) -> int:
        return bisect_right(asked.bounds, event["timestamp"])

    owners: Counter[tuple[int, int]] = Counter()
    last_owners: Counter[tuple[int, int]] = Counter()
    for life in lives.values():
        entered = [period(event) for event in life if (event["shard"], event["position"]) in entering]
        cohort = min(entered, default=0)
        if cohort:
            wanted = asked.return_event_type
            came = {period(event) for event in life if wanted in (None, event["event_type"])}
            there = {cohort, *(each for each in came if each > cohort)}
            owners.update((cohort, each) for each in there)
            last_owners[cohort, max(there)] += 1
    return [
        {"cohort": cohort, "period": at, "owners": number, "last_owners": last_owners[cohort, at]}
        for (cohort, at), number in owners.items()
    ]


def property_rows(passing: Sequence[Stored], asked: Properties) -> list[Row]:
    """Return the rows in order: first the number of events and of properties that are not named."""
    types: dict[Path, Counter[str]] = {}
    values: dict[Path, Counter[str]] = {}
    for event in passing:
        for path, value in _paths(exact_properties(event)):
            if path == asked.wanted or (asked.wanted is None and len(path) <= asked.most_depth):
                types.setdefault(path, Counter())[_type(value)] += 1
                of_path = values.setdefault(path, Counter())
                if (text := _scalar_text(value)) is not None:
                    of_path[text] += 1
    ordered = sorted(types, key=lambda path: (-types[path].total(), _json(path)[:-1]))
    rows = [_row("events", None, None, len(passing)), _row("more", None, None, 0)]
    rows[1]["amount"] = max(len(ordered) - asked.most_properties, 0)
    for path in ordered[: asked.most_properties]:
        rows += [_row("type", path, name, number) for name, number in sorted(types[path].items())]
        rows.append(_row("distinct", path, None, len(values[path])))
        most = sorted(values[path].items(), key=lambda pair: (-pair[1], pair[0]))[: asked.most_values]
        rows += [_row("value", path, text, number) for text, number in most]
    return rows


def _row(measure: str, path: Path | None, key: str | None, amount: int) -> Row:
    return {"measure": measure, "path": None if path is None else _json(path), "key": key, "amount": amount}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _paths(properties: dict[str, Any], path: Path = ()) -> Iterator[tuple[Path, Any]]:
    for name, value in properties.items():
        yield (*path, name), value
        if isinstance(value, dict):
            yield from _paths(value, (*path, name))


def _type(value: Any) -> str:
    if isinstance(value, Digits):
        return "number"
    return {str: "string", bool: "boolean", dict: "object", list: "array", type(None): "null"}[type(value)]


def _scalar_text(value: Any) -> str | None:
    """Return the JSON text of a value that a list of values may name; equal numbers have one text."""
    if value is None or isinstance(value, list | dict) or (isinstance(value, str) and len(value) > 256):
        return None
    return value.shortest if isinstance(value, Digits) else _json(value)


def key_of(stored: Stored, asked: Funnel) -> str | None:
    """Return the key of an event in the dimension that divides a funnel. In a list, a name is a place."""
    if asked.divided_by != "properties":
        return dict(oracle.all_keys(event_of(stored))).get(asked.divided_by or "")
    value: Any = exact_properties(stored)
    for name in asked.path or ():
        value = _inner(value, name)
    if isinstance(value, list | dict):
        return "(other)"
    if value is None:
        return None
    return str(value) if isinstance(value, str) else _json(value)


def _inner(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    is_place = isinstance(value, list) and re.fullmatch(r"\s*[+-]?[0-9]+", name)
    return value[int(name)] if is_place and -len(value) <= int(name) < len(value) else None


def funnel_rows(passing: Sequence[Stored], steps: Sequence[Collection[tuple[int, int]]], asked: Funnel) -> list[Row]:
    """Return the rows of events in the range. steps: the shard and position of each event that may be the step."""
    question = {
        "steps": [{"where": [{"field": f"step_{place}", "op": "=", "value": True}]} for place in range(len(steps))],
        "window_minutes": asked.window_minutes,
        "by": "user" if asked.by_user else "session",
        "order": "strict" if asked.strict else "loose",
        "breakdown": "key",
        "most_keys": asked.most_keys,
    }
    events = [
        {**event, "key": key_of(event, asked)}
        | {f"step_{place}": (event["shard"], event["position"]) in step for place, step in enumerate(steps)}
        for event in passing
    ]
    runs = funnel_oracle.runs(events, question)
    if not runs:
        return []
    dropped = [
        sorted(ids, key=lambda actor: (-runs[actor][0]["timestamp"].timestamp(), actor))[: asked.most_ids]
        for ids in funnel_oracle.dropped_ids(runs, len(steps))
    ]
    rows = _step_rows(funnel_oracle.steps([*runs.values()], len(steps)), dropped)
    for group in funnel_oracle.groups(runs, question) if asked.divided_by else ():
        rows += [row | {"whole": False, "key": group["key"]} for row in _step_rows(group["steps"], [None] * len(steps))]
    return rows


def _step_rows(steps: Sequence[Row], dropped: Sequence[list[str] | None]) -> list[Row]:
    return [
        {
            "whole": True,
            "key": None,
            "step": place,
            "reached": step["reached"],
            "median": step["median_seconds"],
            "p90": step["p90_seconds"],
            "dropped_ids": ids,
        }
        for place, (step, ids) in enumerate(zip(steps, dropped, strict=True), 1)
    ]
