"""Questions about archived events, each in the words of the service and of its peers.

Peers have a statement of the same name in sql/clickhouse and sql/duckdb. Answers are compared by its last column.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from bench.rows import Goal, least_ratio
from bench.web_data import TOOLS, TYPES
from service.archive.checks import Check
from service.archive.protocol import Row
from service.archive.questions import Asked, Cohorts, Funnel, Properties, Step, Trend

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# As the service asks.
MOST_KEYS, MOST_IDS = 10, 100
MOST_DEPTH, MOST_PROPERTIES = 4, 200
TOP = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A question. asked: makes it, for a range. amount: of its answer, the same as of the peers'.

    statement: the peers'. goal: against ClickHouse. as_clickhouse, as_plain: whether that peer's is the same.
    """

    what: str
    statement: str
    asked: Callable[[datetime, datetime], Asked]
    amount: Callable[[Sequence[Row]], int]
    goal: Goal
    as_clickhouse: bool = True
    as_plain: bool = True


def funnel(what: str, statement: str, field: str, values: Sequence[Any], bound: float, **more: Any) -> Question:
    """Return the question of a funnel whose steps are events with a value in a field."""
    is_strict = more.get("strict", False)
    chosen = {"by_user": False, "strict": False, "window_minutes": 1440, "most_keys": MOST_KEYS, "most_ids": MOST_IDS}
    steps = tuple(Step((Check((field,), "=", (value,)),)) for value in values)
    return Question(
        what,
        statement,
        lambda since, until: Funnel(since=since, until=until, steps=steps, **(chosen | more)),
        _reached,
        least_ratio(bound),
        # ClickHouse's strict order looks at the events of steps alone.
        as_clickhouse=not is_strict,
        # Plain DuckDB looks at first runs alone. Sessions are shorter than the window, so none of theirs is deeper.
        as_plain=not more.get("by_user", False),
    )


def _measured(name: str) -> Callable[[Sequence[Row]], int]:
    return lambda rows: sum(row["amount"] for row in rows if row["measure"] == name and row["bucket"] is not None)


def _values(rows: Sequence[Row]) -> int:
    return sum(row["amount"] for row in rows if row["measure"] == "value")


def _owners(rows: Sequence[Row]) -> int:
    return sum(row["owners"] for row in rows)


def _reached(rows: Sequence[Row]) -> int:
    return sum(row["reached"] for row in rows if row["whole"])


def _each(length: timedelta, since: datetime, until: datetime) -> list[datetime]:
    return [since + number * length for number in range(-(-(until - since) // length))] + [until]


def _top(since: datetime, until: datetime) -> Asked:
    return Properties(
        since=since, until=until, wanted=("path",), most_depth=MOST_DEPTH, most_properties=MOST_PROPERTIES,
        most_values=TOP,
    )  # fmt: skip


_HOME = (Check(("tool_name",), "=", ("Home",)),)
_ARTICLE = (Check(("properties", "path"), "=", ("/articles/77",)),)
_TOOLS = TOOLS[:3]
# A fifth of ClickHouse's time, or a time that feels immediate.
_FAST = least_ratio(5, or_most=100)

FUNNEL = funnel("funnel, 3 tools", "funnel_tools", "tool_name", _TOOLS, 1)
COUNT = Question(
    "count by hour, one tool", "count_by_hour",
    lambda since, until: Trend(bounds=_each(HOUR, since, until), checks=_HOME), _measured("event_type"), _FAST,
)  # fmt: skip
QUESTIONS = (
    COUNT,
    Question(
        "count of one property value", "count_value",
        lambda since, until: Trend(bounds=[since, until], checks=_ARTICLE), _measured("event_type"), _FAST,
    ),
    Question("top values of a property", "top_values", _top, _values, _FAST),
    Question(
        "distinct sessions by day, one tool", "sessions_by_day",
        lambda since, until: Trend(bounds=_each(DAY, since, until), named=("sessions",), checks=_HOME),
        _measured("sessions"), least_ratio(1),
    ),
    Question(
        "cohorts of users by day", "cohorts_by_day",
        lambda since, until: Cohorts(bounds=_each(DAY, since, until), by="user"), _owners, least_ratio(1 / 1.2),
    ),
    FUNNEL,
    funnel("funnel, 3 types", "funnel_types", "event_type", tuple(dict.fromkeys(TYPES)), 1),
    funnel("funnel, 3 tools, strict", "funnel_tools_strict", "tool_name", _TOOLS, 1 / 1.5, strict=True),
    funnel("funnel, 3 tools, by user", "funnel_tools_by_user", "tool_name", _TOOLS, 1 / 1.5, by_user=True),
)  # fmt: skip
