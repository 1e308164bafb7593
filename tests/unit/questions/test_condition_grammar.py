"""Conditions as people write them, and what is said of those that cannot be read."""

from __future__ import annotations

import re

import pytest

from service.questions.condition_grammar import MOST_CHARACTERS, parse_conditions, property_condition
from service.questions.conditions import MOST_CONDITIONS, MOST_VALUES, Condition, Malformed, Value, equals, predicate

PLAN = ("properties", "plan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  ", []),
        ("tool_name = Home", [Condition(("tool_name",), "=", ("Home",))]),
        ('tool_name="Home page"', [Condition(("tool_name",), "=", ("Home page",))]),
        ("properties.plan != pro", [Condition(PLAN, "!=", ("pro",))]),
        ("properties.plan=10", [Condition(PLAN, "=", ("10", 10))]),
        ('properties.plan="10"', [Condition(PLAN, "=", ("10",))]),
        ("properties.plan = true", [Condition(PLAN, "=", ("true", True))]),
        ("properties.plan > 9.5", [Condition(PLAN, ">", (9.5,))]),
        ("properties.plan <= 2026-01-01", [Condition(PLAN, "<=", ("2026-01-01",))]),
        ("properties.plan contains 10", [Condition(PLAN, "contains", ("10",))]),
        ("properties.plan in (a, 3,\"c, d\")", [Condition(PLAN, "in", ("a", "3", 3, "c, d"))]),
        ("user_id exists", [Condition(("user_id",), "exists")]),
        ("user_id missing and action=a", [Condition(("user_id",), "missing"), Condition(("action",), "=", ("a",))]),
        (r'properties."a.b".c-d."e \"f" = x', [Condition(("properties", "a.b", "c-d", 'e "f'), "=", ("x",))]),
        ("properties.größe = /artikel/é?x&y", [Condition(("properties", "größe"), "=", ("/artikel/é?x&y",))]),
        ("action = and and action != in", [equals("action", "and"), Condition(("action",), "!=", ("in",))]),
        (r'action = "\u00e9\n"', [Condition(("action",), "=", ("é\n",))]),
    ],
)  # fmt: skip
def test_conditions_are_read(text: str, expected: list[Condition]) -> None:
    assert list(parse_conditions(text)) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plan = pro", "must name one of event_type"),
        ("properties = 1", "must name one of"),
        ("properties. = 1", "must name one of"),
        ("properties.a..b = 1", "must name one of"),
        ('"action" = 1', "must name one of"),
        ("action", "must not end before an operator"),
        ("action =", "must not end before a value"),
        ("action like x", "must have one of =, !=, <"),
        ("action = a action = b", "must have and before 'action'"),
        ("action = a or action = b", "must have and before 'or'"),
        ("action = a and", "must not end before a field"),
        ("action = (", "must have a value before '('"),
        ("action in a", "must have ( before 'a'"),
        ("action in (a b)", "must have , or ) before 'b'"),
        ("action in ()", "must have a value before ')'"),
        ("action in (a", "must not end before , or )"),
        ('action = "open', "cannot be read from '\"open' on"),
        (r'action = "\x"', "must be a JSON string"),
        (r'action = "\u0000"', "must be a JSON string without NUL"),
        (r'action = "\ud800"', "must be a JSON string"),
        (f"action in ({','.join('a' * (MOST_VALUES + 1))})", f"at most {MOST_VALUES} values"),
        (" and ".join(["action = a"] * (MOST_CONDITIONS + 1)), f"at most {MOST_CONDITIONS} conditions"),
        ("action = " + "a" * MOST_CHARACTERS, f"at most {MOST_CHARACTERS} characters"),
    ],
)
def test_what_cannot_be_read_is_told(text: str, said: str) -> None:
    with pytest.raises(Malformed, match=re.escape(said)):
        parse_conditions(text)


@pytest.mark.parametrize(
    ("name", "operator", "value", "expected"),
    [
        ("plan", "=", "10", Condition(PLAN, "=", ("10",))),
        ("plan", "=", 10, Condition(PLAN, "=", (10,))),
        ("page.path", "contains", "/a", Condition(("properties", "page", "path"), "contains", ("/a",))),
        ("my plan", "exists", None, Condition(("properties", "my plan"), "exists")),
        ('"my plan".x', "!=", False, Condition(("properties", "my plan", "x"), "!=", (False,))),
        ("plan", "in", ["a", 1, True], Condition(PLAN, "in", ("a", 1, True))),
    ],
)
def test_conditions_are_read_from_json(name: str, operator: str, value: Value, expected: Condition) -> None:
    assert property_condition({"property": name, "op": operator, "value": value}) == expected


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"property": "", "op": "exists"},
        {"property": "a\0", "op": "exists"},
        {"property": 1, "op": "exists"},
        {"property": "a", "op": "like", "value": "x"},
        {"property": "a", "op": ["="], "value": "x"},
        {"property": "a", "op": "="},
        {"property": "a", "op": "=", "value": [1]},
        {"property": "a", "op": "=", "value": "\0"},
        {"property": "a", "op": "=", "value": "\ud800"},
        {"property": "a", "op": "=", "value": 10**400},
        {"property": "a", "op": "in", "value": "x"},
        {"property": "a", "op": "in", "value": []},
    ],
)
def test_what_is_no_condition_in_json_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(Malformed, match="must "):
        property_condition(given)


def test_values_are_beside_the_paths_never_in_them() -> None:
    hostile = '") || true || ("'
    found = predicate([Condition((hostile,), "=", (hostile,)), Condition(("properties", "a"), "<", (hostile,))])
    assert found.of_fields == r'($."\") || true || (\"" == $v0)'
    assert found.of_properties == '($."a" < $v1)'
