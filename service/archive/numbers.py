"""Answers what the numbers of a property are.

They are decimals of up to 15 digits before the point and 14 after it. Everything else is no number.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from duckdb import CaseExpression, ColumnExpression, DuckDBPyRelation, Expression

from service.archive.conditions import Column, Properties
from service.archive.divided import Keyed, keyed
from service.archive.json_text import TEXT, call, constant, digits_of, either, extracted, with_exact_numbers
from service.archive.keys import LOSES_DIGITS, named_key
from service.archive.measure_questions import Numbers
from service.archive.results import Rows, Tables, rows_of
from service.archive.source import Part, bucket, together
from service.questions.conditions import PROPERTIES
from sql.archive.files import NUMBER, WHOLE

DECIMAL = "DECIMAL(29, 14)"
NO_NUMBER = constant(None).cast(DECIMAL)


class Value(NamedTuple):
    """Whether an event has a value, and its number: null for any other value."""

    is_there: Expression
    number: Expression


def number_rows(tables: Tables, parts: Sequence[Part], question: Numbers) -> Rows:
    """Return the rows of sql/archive/numbers.sql."""
    found = [
        _numbers(of_part, value_at(question.of, part.properties), question)
        for part, of_part in zip(parts, keyed(tables, parts, question, question.division), strict=True)
    ]
    given = {"quantiles": question.with_quantiles, "divided": question.division is not None}
    return rows_of(tables.connection, "numbers", given=given, numbers=tables.make("numbers", together(found)))


def _numbers(found: Keyed, value: Value, question: Numbers) -> DuckDBPyRelation:
    named = bucket(question.bounds).alias("bucket"), named_key(found.key, question.keys).alias("key")
    return found.events.filter(value.is_there).select(*named, value.number.alias("value"))


def value_at(names: tuple[str, ...], properties: Properties) -> Value:
    """Return the value at a path of properties."""
    found = properties.at(names)
    if found is None:
        return Value(constant(False), NO_NUMBER)
    if isinstance(found, Column):
        # By way of its text, because a double times 10^14 is not exact.
        number = found.value.cast(TEXT).cast(DECIMAL) if found.kind in (WHOLE, NUMBER) else NO_NUMBER
        return Value(found.value.isnotnull(), number)
    text = ColumnExpression(PROPERTIES)
    item = extracted(text, names)
    exact = digits_of(extracted(with_exact_numbers(text), names))
    digits = either(call("regexp_matches", item, LOSES_DIGITS), exact, item)
    is_number = call("regexp_matches", item, constant("^-?[0-9]"))
    is_there = item.isnotnull() & (item != constant("null"))
    return Value(is_there, CaseExpression(is_number, digits.try_cast(DECIMAL)).otherwise(NO_NUMBER))
