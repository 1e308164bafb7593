"""Events of four weeks for the dashboard, with days, nights, weekends and a peak."""

from __future__ import annotations

from datetime import datetime, timedelta
from math import cos, pi
from random import Random

from tests.http.support.site import HOUR, Json, text_of

DAYS = 28
# All of the newest hours have events, and one in SPARSE of those before, because the service proves and archives each.
# Within a week these come at every hour of a day, because 7 and 24 have no common divisor.
DENSE_HOURS = 26
SPARSE = 7
TOOLS = ("summarise", "translate", "search")
RISK_MODES = ("careful", "balanced", "bold")
ACTIONS = ("open", "run", "copy", "share", "undo", "export")
PLANS = ("free", "pro", "team")
TYPES = ("page_view", "tool_usage", "risk_mode_changed", "feature_interaction")
# Sessions that walk this far through a funnel. Chance alone lets nobody arrive in some hours of the week.
WALKED = (3, 3, 2, 3, 2, 1)
WALK: tuple[Json, ...] = (
    {"event_type": "page_view", "action": "open"},
    {"event_type": "tool_usage", "tool_name": "search", "action": "open"},
    {"event_type": "feature_interaction", "action": "run"},
)
# Kinds of values that are known to break pages.
HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "</script><script>document.title='broken'</script>",
    "__proto__",
    "constructor",
    "\u202egnp.txt\u200b\u200f",
    "👩‍👩‍👧‍👦 \u0430\u0301",
    "w" * 120,
    "(other)",  # what answers call the sum of the rest
)


def seeded_events(now: datetime, *, per_hour: float = 9.0) -> list[Json]:
    """Return the events up to now, oldest first; the same hour gives the same events."""
    random = Random(5)
    this_hour = now.replace(minute=0, second=0, microsecond=0)
    hours = [this_hour - back * HOUR for back in reversed(range(DAYS * 24)) if back < DENSE_HOURS or back % SPARSE == 0]
    drawn = [
        _event(random, number, moment)
        for number, moment in enumerate(
            hour + offset * HOUR
            for hour in hours
            for offset in sorted(random.random() for _ in range(_amount(random, hour, per_hour)))
            if hour + offset * HOUR < now - timedelta(minutes=1)
        )
    ]
    return sorted(drawn + _walks(this_hour), key=lambda event: str(event["timestamp"]))


def _walks(this_hour: datetime) -> list[Json]:
    return [
        {
            **event,
            "event_id": f"walk-{walker}-{step}",
            "session_id": f"walker-{walker}",
            "user_id": f"user-{walker}",
            "timestamp": text_of(this_hour - 5 * (walker + 1) * HOUR + step * timedelta(minutes=10)),
            "demo_mode": False,
        }
        for walker, length in enumerate(WALKED)
        for step, event in enumerate(WALK[:length])
    ]


def _amount(random: Random, hour: datetime, per_hour: float) -> int:
    daily = 1 - 0.85 * cos((hour.hour - 3) / 24 * 2 * pi)
    weekly = 0.45 if hour.weekday() >= 5 else 1.0
    return int(per_hour * daily * weekly * random.uniform(0.75, 1.25))


def _event(random: Random, number: int, moment: datetime) -> Json:
    kind = random.choices(TYPES, (5, 4, 1, 2))[0]
    event: Json = {
        "event_id": f"seed-{number}",
        "event_type": kind,
        "session_id": f"session-{moment:%m%d}-{moment.hour // 3}-{random.randrange(9)}",
        "timestamp": text_of(moment),
        "action": random.choices(ACTIONS, (9, 6, 4, 3, 2, 1))[0],
        "demo_mode": random.random() < 0.2,
    }
    if kind == "tool_usage":
        event["tool_name"] = random.choices(TOOLS, (5, 3, 2))[0]
    if kind == "risk_mode_changed":
        event["properties"] = {"risk_mode": random.choices(RISK_MODES, (6, 3, 1))[0], "previous_mode": "careful"}
    if kind == "feature_interaction":
        event["properties"] = {"plan": PLANS[number % 3], "seats": number % 7, "beta": number % 2 == 0}
    if random.random() < 0.4:
        event["user_id"] = f"user-{random.randrange(40)}"
    return event


def hostile_events(now: datetime) -> list[Json]:
    """Return events whose every field is a hostile text."""
    events: list[Json] = [
        {
            "event_id": f"hostile-{place}-{text}"[:128],
            "event_type": text,
            "session_id": text,
            "timestamp": text_of(now),
            "user_id": text,
            "tool_name": text,
            "action": text,
            "properties": {"risk_mode": text, text: text, "long": "x" * 10_000},
        }
        for place, text in enumerate(HOSTILE)
    ]
    return events
