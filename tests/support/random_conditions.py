"""Random conditions, as a user writes them, and random events for them."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

from service.questions.conditions import CASELESS

NAMES = ("a", "b c", 'q"', "é.x")
TEXTS = ("", "x", "xy", "10", "true", "Ünï", '") || true', "\\d", "a and b", "null", "%")
scalars = st.none() | st.booleans() | st.sampled_from(TEXTS) | st.sampled_from([0, 10, -1.5, 1e20])
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
properties = st.none() | st.dictionaries(st.sampled_from(NAMES), values, max_size=4)
events = st.fixed_dictionaries(
    {
        "event_type": st.sampled_from(["opened", "risk_mode_changed"]),
        "tool_name": st.sampled_from([None, "x", "10"]),
        "demo_mode": st.booleans(),
        "properties": properties | st.just({"risk_mode": "high"}),
    }
)
paths = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map(lambda names: ("properties", *names))
fields = paths | st.sampled_from([("event_type",), ("tool_name",), ("demo_mode",), ("risk_mode",), ("session_id",)])
# Values in the syntax of conditions, quoted or not.
words = st.sampled_from(["x", "10", "true", "-1.5", "opened", "high", '"10"', '"s 1"']) | st.sampled_from(TEXTS).map(
    json.dumps
)
written = st.tuples(
    fields,
    st.sampled_from(
        ["=", "!=", "<", "<=", ">", ">=", "contains", "starts with", "ends with", "in", "exists", "missing"]
    ),
    st.lists(words, min_size=1, max_size=3),
    st.booleans(),
)
Written = tuple[tuple[str, ...], str, list[str], bool]
# ("every", clauses), ("any", clauses) or ("not", clause).
Tree = Any
trees: st.SearchStrategy[Tree] = st.recursive(
    written,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["every", "any"]), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("not"), inner),
    ),
    max_leaves=4,
)


def text_of(condition: Written) -> str:
    (head, *names), operator, words, ignoring = condition
    field = ".".join([head, *(json.dumps(name) for name in names)])
    value = {"in": f"({', '.join(words)})", "exists": "", "missing": ""}.get(operator, words[0])
    return f"{field} {operator} {value}" + (" ignoring case" if ignoring and operator in CASELESS else "")


def tree_text(tree: Tree) -> str:
    match tree:
        case ("not", inner):
            return f"not ({tree_text(inner)})"
        case ("every" | "any" as kind, [*parts]):
            return "(" + (" and " if kind == "every" else " or ").join(map(tree_text, parts)) + ")"
    return text_of(tree)
