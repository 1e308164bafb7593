"""When a rule fires: one sentence, as people type it and as the database keeps it.

    events above 1000 in 1 hour                     sessions below 50% of usual in 1 day
    events of payment_failed above 3 in 15 minutes  no events for 30 minutes
    failed proof    low disk    wrong clock    degraded    weekly report

Usual is the median of the same time on the same weekday of the four weeks before.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from service.errors import InvalidParameter
from service.questions.hours import QUARTER

METRICS = ("events", "sessions", "users", "visitors")
LONGEST = timedelta(days=28)
LARGEST = 1e15
_UNITS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_LENGTH = r"(?P<number>\d{1,5}) (?P<unit>minute|hour|day)s?"
_BOUND = re.compile(
    r"(?P<metric>" + "|".join(METRICS) + r")(?: of (?P<event_type>.{1,128}))? (?P<side>above|below)"
    r" (?P<bound>\d{1,15}(?:\.\d{1,6})?)(?P<usual>% of usual)? in " + _LENGTH
)
_SILENCE = re.compile(r"no events for " + _LENGTH)
_EXAMPLES = "'no events for 30 minutes', 'events above 1000 in 1 hour', 'sessions below 50% of usual in 1 day'"


class State(StrEnum):
    """A condition without numbers."""

    FAILED_PROOF = "failed proof"
    LOW_DISK = "low disk"
    WRONG_CLOCK = "wrong clock"
    DEGRADED = "degraded"
    WEEKLY_REPORT = "weekly report"


# Conditions of the whole service, which a rule has for no single site.
OF_SERVICE = frozenset({State.LOW_DISK, State.WRONG_CLOCK, State.DEGRADED})


@dataclass(frozen=True, slots=True)
class Bound:
    """A metric of the newest whole quarters of an hour, against a bound. length: of that time.

    event_type: count the events of this type alone. of_usual: the bound is a percentage of what is usual.
    """

    metric: str
    above: bool
    bound: float
    length: timedelta
    of_usual: bool = False
    event_type: str | None = None

    def __str__(self) -> str:
        """Return the sentence."""
        of_type = f" of {self.event_type}" if self.event_type is not None else ""
        side = "above" if self.above else "below"
        bound = f"{number_text(self.bound)}{'% of usual' if self.of_usual else ''}"
        return f"{self.metric}{of_type} {side} {bound} in {length_text(self.length)}"


@dataclass(frozen=True, slots=True)
class Silence:
    """No event was received for some time."""

    length: timedelta

    def __str__(self) -> str:
        """Return the sentence."""
        return f"no events for {length_text(self.length)}"


Condition = Bound | Silence | State


def condition_of(text: str) -> Condition:
    """Return the condition of a sentence. Raises InvalidParameter."""
    text = " ".join(text.split())
    if text in set(State):
        return State(text)
    if found := _SILENCE.fullmatch(text):
        return Silence(_length(found.groupdict()))
    if not (found := _BOUND.fullmatch(text)):
        others = ", ".join(repr(state.value) for state in State)
        raise _refused(f"must be a sentence such as {_EXAMPLES}, or one of {others}, not {text[:60]!r}")
    length = _length(found.groupdict())
    if length % QUARTER:
        raise _refused(f"must be about whole quarters of an hour, such as 15 minutes or 1 hour, not {text[:60]!r}")
    if found["event_type"] is not None and found["metric"] != "events":
        raise _refused(f"can count 'events of' a type, and not {found['metric']} of one")
    return Bound(
        found["metric"],
        found["side"] == "above",
        float(found["bound"]),
        length,
        found["usual"] is not None,
        found["event_type"],
    )


def _length(found: Mapping[str, str]) -> timedelta:
    length = int(found["number"]) * _UNITS[found["unit"]]
    if not timedelta(0) < length <= LONGEST:
        raise _refused(f"must be about 1 minute to {LONGEST.days} days, not {length_text(length)}")
    return length


def _refused(message: str) -> InvalidParameter:
    return InvalidParameter(f"the condition {message}", "condition")


def length_text(length: timedelta) -> str:
    """Return a length of time in the largest unit that it is whole in, such as 90 minutes or 2 hours."""
    unit, one = next((unit, one) for unit, one in reversed(_UNITS.items()) if not length % one)
    return f"{length // one} {unit if length == one else f'{unit}s'}"


def number_text(number: float) -> str:
    """Return a number with at most six digits after the point, and without zeros at its end."""
    return f"{number:.6f}".rstrip("0").rstrip(".")
