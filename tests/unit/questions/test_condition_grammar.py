"""The parser reads conditions that people and the page write, and names what is wrong with others."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

import pytest

from service.questions.condition_grammar import MOST_CHARACTERS, parse_conditions, path_text
from service.questions.conditions import (
    MOST_CONDITIONS,
    MOST_DEPTH,
    MOST_VALUES,
    OPERATORS,
    Condition,
    Conditions,
    Malformed,
    leaves,
)
from service.questions.patterns import pattern
from service.questions.predicates import predicate
from tests.support.condition_cases import COMPOSED, REFUSED, WRITTEN, conditions_of


def text_of(case: dict[str, Any]) -> str:
    return str(case["text"])


def with_types(conditions: Conditions) -> tuple[Conditions, list[list[type]]]:
    """Return conditions with the types of their values, because Python takes 1 and True for equal."""
    return conditions, [[type(value) for value in condition.values] for condition in leaves(conditions)]


@pytest.mark.parametrize("case", [*COMPOSED, *WRITTEN], ids=text_of)
def test_conditions_are_read(case: dict[str, Any]) -> None:
    assert with_types(parse_conditions(case["text"])) == with_types(conditions_of(case))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("9007199254740993", 9007199254740993),
        ("-12345678901234567890", -12345678901234567890),
        ("0.12345678901234567891", Decimal("0.12345678901234567891")),
        ("0.1", 0.1),
        ("1" + 307 * "0", 10**307),
        ("1e-20000", 0.0),
        ("1e-99999999999999999999", 0.0),
    ],
)
def test_a_number_keeps_all_its_digits(text: str, number: float | Decimal) -> None:
    conditions = parse_conditions(f"properties.n > {text}")
    assert with_types(conditions) == ((Condition(("properties", "n"), ">", (number,)),), [[type(number)]])
    values = json.loads(predicate(conditions).values or "", parse_float=Decimal)
    assert values["v0"] == (number if isinstance(number, int) else Decimal(str(number)))


@pytest.mark.parametrize("case", [case for case in COMPOSED if len(case["path"]) > 1], ids=text_of)
def test_a_property_is_written_as_the_page_takes_it(case: dict[str, Any]) -> None:
    assert "properties." + path_text(case["path"][1:]) == case["field"]


@pytest.mark.parametrize("case", REFUSED, ids=text_of)
def test_what_cannot_be_read_is_told(case: dict[str, Any]) -> None:
    with pytest.raises(Malformed) as refused:
        parse_conditions(case["text"])
    assert str(refused.value) == case["error"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"action in ({','.join('a' * (MOST_VALUES + 1))})", f"at most {MOST_VALUES} values"),
        (" and ".join(["action = a"] * (MOST_CONDITIONS + 1)), f"at most {MOST_CONDITIONS} conditions"),
        (" or ".join(["not action = a"] * (MOST_CONDITIONS + 1)), f"at most {MOST_CONDITIONS} conditions"),
        ("(" * (MOST_DEPTH + 1), f"at most {MOST_DEPTH} parentheses"),
        ("not " * 500, f"at most {MOST_DEPTH} parentheses"),
        ("action = " + "a" * MOST_CHARACTERS, f"at most {MOST_CHARACTERS} characters"),
        ("action = a\0", "must not hold a NUL character"),
        ("action = \ud800", "or half a character"),
    ],
    ids=["values", "conditions", "alternatives", "parentheses", "not", "characters", "NUL", "surrogate"],
)
def test_what_is_too_much_is_told(text: str, said: str) -> None:
    with pytest.raises(Malformed, match=re.escape(said)):
        parse_conditions(text)


def test_the_cases_hold_every_operator() -> None:
    assert {case["operator"] for case in COMPOSED} == set(OPERATORS)


def test_values_are_beside_the_paths_never_in_them() -> None:
    hostile = '") || true || ("'
    found = predicate((Condition((hostile,), "=", (hostile,)), Condition(("properties", "a"), "<", (hostile,))))
    assert found.of_fields == r'($."\") || true || (\"" == $v0)'
    assert found.of_properties == '($."a" < $v1)'


@pytest.mark.parametrize("text", ["a) || true || (x", "^.*[a]{1}$|\\d+?"])
def test_patterns_are_of_the_text_alone(text: str) -> None:
    for operator in ("contains", "starts with", "ends with", "="):
        assert re.search(pattern(operator, text, ignoring_case=True), text.upper())
        assert not re.search(pattern(operator, text, ignoring_case=False), text.replace("a", "b"))
