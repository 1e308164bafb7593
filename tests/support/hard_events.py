"""Random events whose properties are hard to keep: long numbers, odd names, lists in lists; and filters for them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from service.questions.condition_grammar import parse_conditions
from service.questions.filters import Filters
from tests.support.log import an_event
from tests.support.oracle import HOUR, QUARTER
from tests.support.projection import START
from tests.support.random_conditions import text_of

HOURS = 4
UNTIL = START + HOURS * HOUR
NAMES = (
    "plan",
    "n",
    "Plan",
    "risk_mode",
    "a.b",
    "",
    '"',
    "\\",
    "~/",
    "*",
    "0",
    "1",
    "-",
    "__proto__",
    "é😀",
    "$x",
    "a\x1fb",
)
TEXTS = (
    "",
    "pro",
    "10",
    "1.5",
    "true",
    "null",
    "x" * 129,
    "é😀",
    "\x01\x0b\x1f\x7f",
    "\\u001F",
    '": 1.5',
    "a 15.5",
    "[",
    '{"a": 1}',
)
NUMBERS = (
    *("0", "1", "1.0", "1.50", "-1.5", "10", "123456789012345", "9007199254740993", "9007199254740992", "-0.1"),
    *(
        "0.1",
        "0.1000000000000000055511151231257827",
        "0.10000000000000001",
        "1e300",
        "1e-20",
        "-1e300",
        "12345678901234567890",
    ),
    *("12345678901234567890.5", "1.7976931348623157e308", "0.30000000000000004", "0.3", "1" + "0" * 60),
)


class Literal(str):
    """JSON text that is not a string."""

    __slots__ = ()


def written(value: Any) -> str:
    """Return JSON text in which Literals are as they are."""
    if isinstance(value, Literal):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)}: {written(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return json.dumps(value)


scalars = st.none() | st.booleans() | st.sampled_from(TEXTS) | st.sampled_from(NUMBERS).map(Literal)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)
# Objects whose properties mostly have one kind, so that they get columns.
uniform = st.fixed_dictionaries(
    {},
    optional={
        "plan": st.sampled_from(["pro", "free", "é😀"]),
        "n": st.sampled_from(["1", "2", "10", "-3"]).map(Literal),
        "0": st.sampled_from(["1.0", "1.5", "1.50", "2"]).map(Literal),
        "__proto__": st.booleans(),
        "~/": st.just("x") | st.just(["x"]),
        "risk_mode": st.sampled_from(["high", "low"]),
    },
)
PLACES = [timedelta(0), timedelta(microseconds=1), timedelta(minutes=1), QUARTER - timedelta(microseconds=1)]
sent = st.builds(
    lambda number, quarter, place, session, kind, tool, properties, user, demo: an_event(
        number,
        at=START + quarter * QUARTER + place,
        session=session,
        kind=kind,
        tool=tool,
        properties=None if properties is None else written(properties),
    )._replace(user_id=user, demo_mode=demo, action=tool and tool.lower()),
    *(st.integers(0, 400), st.sampled_from([-4, 0, 1, 2, 3, 4, 5, 8, 15, 16]), st.sampled_from(PLACES)),
    *(
        st.sampled_from("abcd"),
        st.sampled_from(["x", "y", "risk_mode_changed"]),
        st.sampled_from(["Home", "Song", None]),
    ),
    st.none() | uniform | objects,
    *(st.sampled_from([None, None, "u", "v"]), st.booleans()),
)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: ("properties", *names))
fields = st.one_of(
    paths,
    st.sampled_from([("properties", name) for name in ("plan", "n", "0", "__proto__", "~/")]),
    st.sampled_from([(name,) for name in ("event_type", "tool_name", "demo_mode", "risk_mode", "user_id")]),
)
words = (
    st.sampled_from([number for number in NUMBERS if float(number) < 1e308])
    | st.sampled_from(
        ["true", "false", "pro", "x", "Home", "1.499999999999999999999", "0.30000000000000001", "1e15", "1e-400"]
    )
    | st.sampled_from(TEXTS).map(json.dumps)
)
conditions = st.tuples(
    fields,
    st.sampled_from(
        ["=", "!=", "<", "<=", ">", ">=", "contains", "starts with", "ends with", "in", "exists", "missing"]
    ),
    st.lists(words, min_size=1, max_size=3),
    st.booleans(),
).map(text_of)
clauses = conditions | st.tuples(st.sampled_from([" and ", " or "]), st.lists(conditions, min_size=1, max_size=2)).map(
    lambda group: f"not ({group[0].join(group[1])})" if len(group[1]) == 1 else f"({group[0].join(group[1])})"
)
wheres = st.lists(clauses, max_size=2).map(" and ".join)
filters = st.builds(
    lambda where, tool, user: Filters(where=parse_conditions(where), tool_name=tool, user_id=user),
    *(wheres, st.sampled_from([None, None, None, "Home"]), st.sampled_from([None, None, None, "u"])),
)
bounds = st.lists(st.integers(-4, HOURS * 4 + 4), min_size=2, max_size=6).map(
    lambda places: [START + place * QUARTER for place in sorted(places)]
)
