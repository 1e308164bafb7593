"""The parser reads the conditions that the page composes: the shared cases, and any text as a value."""

from __future__ import annotations

import random
from typing import Any

from playwright.async_api import Page

from service.questions.condition_grammar import parse_conditions
from service.questions.conditions import ANY, NOT, Condition, Group
from tests.http.support.site import Site
from tests.support.condition_cases import COMPOSED, clauses_of, conditions_of

COMPOSE = """async (cases) => {
  const { condition, string, word } = await import("/assets/core/condition_text.js");
  return cases.map(({ field, operator, values, only_text, ignoring_case }) =>
    condition(field, operator, values.map(only_text ? string : word), ignoring_case));
}"""
JOIN = """async (texts) => (await import("/assets/core/condition_text.js")).joined(texts)"""
GROUP = """async (texts) => {
  const { anyOf, negated } = await import("/assets/core/condition_text.js");
  return [anyOf(texts), negated(texts[0]), negated(anyOf(texts))];
}"""
# Characters that one of the two languages may take for a blank, a quote or a sign.
SIGNS = "\"'\\ab1.,()=<>!"
BLANKS = " \t\n\x0b\x0c\x1c\x1f\x7f\x85\xa0\u1680\u2028\u3000\ufeff"
ODD = [*SIGNS, *BLANKS, "é", "😀", "and", "true", "properties."]


A, OR = [[["action"], "=", ["a"]]], [[["action"], "=", ["or"]]]


async def composed(page: Page, site: Site, cases: list[dict[str, Any]]) -> list[str]:
    await page.goto(site.running.url)
    return list(await page.evaluate(COMPOSE, cases))


async def test_the_page_composes_the_shared_cases(site: Site, page: Page) -> None:
    assert await composed(page, site, COMPOSED) == [case["text"] for case in COMPOSED]


async def test_the_parser_reads_any_value_back(site: Site, page: Page) -> None:
    chance = random.Random(1)
    values = ["".join(chance.choices(ODD, k=chance.randrange(5))) for _ in range(3_000)]
    cases = [
        {"field": "action", "operator": "in", "values": [value, "x"], "only_text": place % 2 == 0}
        for place, value in enumerate(values)
    ]
    texts = await composed(page, site, cases)
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        (condition,) = parse_conditions(text)
        assert isinstance(condition, Condition)
        assert condition.values[0] == value, text
        assert condition.values[-1] == "x", text
        assert place % 2 or len(condition.values) == 2, text


async def test_conditions_that_are_joined_are_read_one_by_one(site: Site, page: Page) -> None:
    await page.goto(site.running.url)
    some = [*COMPOSED[:10], {"text": "action = a or action = or", "read": [{"any": [A, OR]}]}]
    text = await page.evaluate(JOIN, [case["text"] for case in some])
    assert parse_conditions(text) == tuple(clause for case in some for clause in conditions_of(case))
    assert await page.evaluate(JOIN, ["action = a or action = or"]) == "action = a or action = or"


async def test_alternatives_and_contraries_are_read_as_such(site: Site, page: Page) -> None:
    await page.goto(site.running.url)
    either, contrary, neither = await page.evaluate(GROUP, ["action = a", "action = or"])
    (a,), (other,) = clauses_of(A), clauses_of(OR)
    assert parse_conditions(either) == (Group(ANY, ((a,), (other,))),)
    assert parse_conditions(contrary) == (Group(NOT, ((a,),)),)
    assert parse_conditions(neither) == (Group(NOT, ((Group(ANY, ((a,), (other,))),),)),)
