"""The conditions in PostgreSQL pass the same events as a plain reading of their documentation."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import asyncpg
from hypothesis import given
from hypothesis import strategies as st

from service.questions.condition_grammar import parse_conditions
from service.questions.conditions import CASELESS, TEXTUAL
from service.questions.filters import Filters
from tests.support.event_matches import FUNCTIONS, document
from tests.support.random_conditions import Tree, Written, events, tree_text, trees
from tests.support.sent_events import examples

# An event with only the given fields.
MATCHES = """
select event_matches(
    row(1, now(), now(), 0, $2, 'e', 's 1', null, $3, $4, null, $5::jsonb)::events, $1
)
"""


def found_at(event: dict[str, Any], path: tuple[str, ...]) -> Iterator[Any]:
    """Give the values at a path; a list stands for its elements."""
    items: list[Any] = [event]
    for name in path:
        unwrapped = [each for item in items for each in (item if isinstance(item, list) else [item])]
        items = [item[name] for item in unwrapped if isinstance(item, dict) and name in item]
    for item in items:
        yield from item if isinstance(item, list) else [item]


def readings(word: str) -> list[Any]:
    if word.startswith('"'):
        return [json.loads(word)]
    return [word, json.loads(word)] if word in ("10", "true", "-1.5") else [word]


def same_kind(one: Any, other: Any) -> bool:
    """Tell whether two values are of one kind: an int and a float are, a boolean and a number are not."""
    kinds = [
        bool if isinstance(each, bool) else float if isinstance(each, int | float) else type(each)
        for each in (one, other)
    ]
    return kinds[0] == kinds[1]


def folded(value: Any, fold: Callable[[str], str]) -> Any:
    return fold(value) if isinstance(value, str) else value


def passes(event: dict[str, Any], tree: Tree) -> bool:
    match tree:
        case ("not", inner):
            return not passes(event, inner)
        case ("every", [*parts]):
            return all(passes(event, part) for part in parts)
        case ("any", [*parts]):
            return any(passes(event, part) for part in parts)
    return passes_one(event, tree)


def passes_one(event: dict[str, Any], condition: Written) -> bool:
    path, operator, words, ignoring = condition
    fold = str.lower if ignoring and operator in CASELESS else str
    found = list(found_at(event, path))
    if operator in ("exists", "missing"):
        return any(each is not None for each in found) == (operator == "exists")
    if operator in TEXTUAL:
        wanted_text = fold(readings(words[0])[0])
        how: Callable[[str], bool] = {
            "contains": lambda text: wanted_text in text,
            "starts with": lambda text: text.startswith(wanted_text),
            "ends with": lambda text: text.endswith(wanted_text),
        }[operator]
        return any(isinstance(each, str) and how(fold(each)) for each in found)
    if operator in ("=", "!=", "in"):
        wanted = [each for word in (words if operator == "in" else words[:1]) for each in readings(word)]
        equal = any(
            same_kind(each, one) and folded(each, fold) == folded(one, fold) for each in found for one in wanted
        )
        return equal != (operator == "!=")
    wanted_one = readings(words[0])[-1]
    comparable = [each for each in found if same_kind(each, wanted_one) and not isinstance(each, list | dict)]
    return any(
        {"<": each < wanted_one, "<=": each <= wanted_one, ">": each > wanted_one, ">=": each >= wanted_one}[operator]
        for each in comparable
    )


@given(st.lists(events, min_size=1, max_size=6), st.lists(st.lists(trees, max_size=3), min_size=8, max_size=16))
@examples(60)
async def test_events_pass_by_the_words_of_the_documentation(
    database_url: str, sent: list[dict[str, Any]], asked: list[list[Tree]]
) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute(FUNCTIONS)
    try:
        for conditions in asked:
            filters = Filters(where=parse_conditions(" and ".join(map(tree_text, conditions))))
            for event in sent:
                has_mode = event["event_type"] == "risk_mode_changed" and "risk_mode" in (event["properties"] or {})
                whole = event | {
                    "session_id": "s 1",
                    "risk_mode": event["properties"]["risk_mode"] if has_mode else None,
                }
                stored = json.dumps(event["properties"]) if event["properties"] is not None else None
                columns = (event["demo_mode"], event["event_type"], event["tool_name"], stored)
                answer = await connection.fetchval(MATCHES, document(filters), *columns)
                assert bool(answer) == all(passes(whole, each) for each in conditions), (conditions, event)
    finally:
        await connection.close()
