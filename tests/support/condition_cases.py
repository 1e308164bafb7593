"""The shared cases of the `where` grammar: texts that the page composes, that people write, that the parser refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.questions.conditions import ANY, NOT, Clause, Condition, Conditions, Group

CASES: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
COMPOSED = CASES["composed"]
WRITTEN = CASES["written"]
REFUSED = CASES["refused"]
# Every text that the parser accepts.
TEXTS = [case["text"] for case in (*COMPOSED, *WRITTEN)]


def conditions_of(case: dict[str, Any]) -> Conditions:
    """Return the conditions that the parser must return for a case.

    `read` is a list of [path, operator, values] or [path, operator, values, ignoring case], of {"any": lists} and of
    {"not": list}.
    """
    if "path" in case:
        values = tuple(case["read"])
        return (Condition(tuple(case["path"]), case["operator"], values, case.get("ignoring_case", False)),)
    return clauses_of(case["read"])


def clauses_of(rows: list[Any]) -> Conditions:
    return tuple(map(clause_of, rows))


def clause_of(row: Any) -> Clause:
    match row:
        case {"any": parts}:
            return Group(ANY, tuple(map(clauses_of, parts)))
        case {"not": part}:
            return Group(NOT, (clauses_of(part),))
        case [path, operator, values, *ignoring_case]:
            return Condition(tuple(path), operator, tuple(values), bool(ignoring_case))
    raise AssertionError(f"{row!r} is no clause")
