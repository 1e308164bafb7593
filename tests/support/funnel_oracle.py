"""The right answer of a funnel, counted by brute force over stored events; it shares no code with the product."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

Stored = Mapping[str, Any]
Json = dict[str, Any]
Run = list[Stored]

STORED = "select * from events"
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": lambda found, value: found == value,
    "!=": lambda found, value: found != value,
    "<": lambda found, value: isinstance(found, int) and found < value,
    ">": lambda found, value: isinstance(found, int) and found > value,
    "<=": lambda found, value: isinstance(found, int) and found <= value,
    ">=": lambda found, value: isinstance(found, int) and found >= value,
    "contains": lambda found, value: isinstance(found, str) and value in found,
    "starts with": lambda found, value: isinstance(found, str) and found.startswith(value),
    "ends with": lambda found, value: isinstance(found, str) and found.endswith(value),
    "in": lambda found, value: found in value,
    "exists": lambda found, _: found is not None,
    "missing": lambda found, _: found is None,
}


def properties_of(event: Stored) -> Json:
    return dict(json.loads(event["properties"] or "{}"))


def value_at(event: Stored, field: str) -> Any:
    """Return the value of a field or of a property; `properties.plan` names a property."""
    head, _, name = field.partition(".")
    return properties_of(event).get(name) if head == "properties" else event[field]


def is_step(event: Stored, step: Json) -> bool:
    named = all(event[name] == step[name] for name in ("event_type", "tool_name", "action") if name in step)
    return named and all(
        OPERATORS[test["op"]](value_at(event, test["field"]), test.get("value")) for test in step.get("where", ())
    )


def run_from(events: Sequence[Stored], start: int, asked: Json) -> Run:
    """Return the run that begins at `start`, an index into an actor's events."""
    places = [start]
    deadline = events[start]["timestamp"] + timedelta(minutes=asked.get("window_minutes", 1_440))
    for step in asked["steps"][1:]:
        following = range(places[-1] + 1, len(events))
        if asked.get("order") == "strict":
            following = following[:1]
        found = next((place for place in following if is_step(events[place], step)), None)
        if found is None or events[found]["timestamp"] > deadline:
            break
        places.append(found)
    return [events[place] for place in places]


def runs(events: Iterable[Stored], asked: Json) -> dict[str, Run]:
    """Return each actor's run that counts: the deepest one, and the earliest among equally deep ones."""
    actors: dict[str, list[Stored]] = {}
    for event in sorted(events, key=lambda each: (each["timestamp"], each["position"], each["shard"])):
        actor = event["user_id" if asked.get("by") == "user" else "session_id"]
        if actor is not None:
            actors.setdefault(actor, []).append(event)
    found = {}
    for actor, own in actors.items():
        all_runs = [run_from(own, place, asked) for place in range(len(own)) if is_step(own[place], asked["steps"][0])]
        if all_runs:
            found[actor] = max(all_runs, key=len)  # max returns the first of equals
    return found


def percentile(values: Sequence[float], part: float) -> float | None:
    """Return what PostgreSQL's percentile_cont returns: it interpolates between neighbours."""
    if not values:
        return None
    ordered = sorted(values)
    place = part * (len(ordered) - 1)
    low, high = ordered[int(place)], ordered[min(int(place) + 1, len(ordered) - 1)]
    return low + (high - low) * (place - int(place))


def steps(counted: Sequence[Run], length: int) -> list[Json]:
    reached = [sum(len(run) > place for run in counted) for place in range(length)]

    def step(place: int) -> Json:
        taken = [
            (run[place]["timestamp"] - run[place - 1]["timestamp"]).total_seconds()
            for run in counted
            if 0 < place < len(run)
        ]
        return {
            "reached": reached[place],
            "rate_from_first": reached[place] / reached[0] if reached[0] else None,
            "rate_from_previous": reached[place] / reached[place - 1] if place and reached[place - 1] else None,
            "median_seconds": percentile(taken, 0.5),
            "p90_seconds": percentile(taken, 0.9),
            "dropped": reached[place] - reached[place + 1] if place + 1 < length else 0,
        }

    return [step(place) for place in range(length)]


def dropped_ids(found: Mapping[str, Run], length: int) -> list[set[str]]:
    """Return for each step the actors that reached it but not the next; none for the last step."""
    return [{actor for actor, run in found.items() if len(run) == place + 1 < length} for place in range(length)]


def key_of(event: Stored, breakdown: str) -> str | None:
    value = value_at(event, breakdown)
    if value is None:
        return None
    if isinstance(value, list | dict) or len(str(value)) > 128:
        return "(other)"
    return value if isinstance(value, str) else json.dumps(value)


def groups(found: Mapping[str, Run], asked: Json) -> list[Json]:
    """Return the groups with the most runs, then "(other)" for the rest, then the runs without a key.

    The question may say how many groups have a name; otherwise 10 have.
    """
    keys = {actor: key_of(run[0], asked["breakdown"]) for actor, run in found.items()}
    counts = Counter(key for key in keys.values() if key not in (None, "(other)"))
    named = sorted(counts, key=lambda key: (-counts[key], key))[: asked.get("most_keys", 10)]
    answer = []
    for key in (*named, "(other)", None):
        own = [
            run for actor, run in found.items()
            if (keys[actor] if keys[actor] is None or keys[actor] in named else "(other)") == key
        ]  # fmt: skip
        if own:
            answer.append({"key": key, "steps": steps(own, len(asked["steps"]))})
    return answer


def inside(events: Iterable[Stored], since: datetime, until: datetime) -> list[Stored]:
    return [event for event in events if since <= event["timestamp"] < until]
