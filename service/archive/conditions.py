"""Conditions on events as expressions of DuckDB; see service/questions/conditions.py for what they mean.

A field, and a property with a column of its own, has values of one kind. So its check is a plain comparison, which
DuckDB can push into the scan of a file. Other properties are read from their JSON text.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from duckdb import ColumnExpression, Expression

from service.archive.checks import Check, Checks
from service.archive.exact import compare, compare_digits, compare_short, compare_whole
from service.archive.json_text import (
    any_element,
    any_item,
    any_of,
    call,
    constant,
    digits_of,
    either,
    is_exact,
    is_string,
    item_of,
    string_of,
    surely,
    with_exact_numbers,
)
from service.questions.conditions import ANY, ENDS, NOT, ORDERINGS, PROPERTIES, STARTS, TEXTUAL, Path
from service.questions.patterns import pattern
from sql.archive.files import FLAG, NUMBER, STRING, WHOLE, PropertyColumn

_FUNCTIONS = {"contains": "contains", STARTS: "starts_with", ENDS: "ends_with"}


class Column(NamedTuple):
    """A column with values of one kind, a kind of sql/archive/files.py. Null is a missing value."""

    value: Expression
    kind: str


class Text(NamedTuple):
    """A property that is read from the JSON text of properties."""

    names: Path


class Properties:
    """Where the properties of the events of one part are. columns: its property columns."""

    def __init__(self, columns: Sequence[PropertyColumn]) -> None:
        self.columns = {column.path: column for column in _distinct(columns)}

    def at(self, names: Path) -> Column | Text | None:
        """Return where a property is, None when no event of the part has it."""
        if (column := self.columns.get(names)) is not None:
            return Column(ColumnExpression(column.column), column.kind)
        # A property with a column has no properties inside.
        return None if names[:1] in self.columns else Text(names)


def _distinct(columns: Sequence[PropertyColumn]) -> list[PropertyColumn]:
    """Return the columns whose names differ in more than case, because DuckDB confuses all others."""
    folded = [column.column.lower() for column in columns]
    return [column for column, name in zip(columns, folded, strict=True) if folded.count(name) == 1]


def field(name: str) -> Column:
    """Return a field of events."""
    return Column(ColumnExpression(name), FLAG if name == "demo_mode" else STRING)


def passes_all(checks: Checks, properties: Properties) -> Expression:
    """Return whether an event passes all checks; unknown means no."""
    passes = constant(True)
    for place, check in enumerate(checks):
        one = passes_check(check, properties)
        passes = passes & one if place else one
    return passes


def passes_check(check: Check, properties: Properties) -> Expression:
    """Return whether an event passes a check; unknown means no."""
    if check.operator == ANY:
        return any_of([surely(passes_all(part, properties)) for part in check.parts])
    if check.operator == NOT:
        return ~surely(passes_all(check.parts[0], properties))
    head, *names = check.path
    found = properties.at(tuple(names)) if head == PROPERTIES else field(head)
    match check.operator:
        case "missing":
            return ~surely(_holds(found, check, "exists"))
        case "!=":
            return ~surely(_holds(found, check, "="))
        case operator:
            return _holds(found, check, operator)


def _holds(found: Column | Text | None, check: Check, operator: str) -> Expression:
    if found is None:
        return constant(False)
    if isinstance(found, Column):
        return _column_holds(found, check, operator)
    text = ColumnExpression(PROPERTIES)
    if check.numbers:
        text = either(ColumnExpression("long_numbers"), with_exact_numbers(text), text)
    if operator == "exists":
        # A list in a list passes when one of its elements is not null.
        return any_item(text, found.names, lambda item: any_element(item, lambda element: element != constant("null")))
    return any_item(text, found.names, lambda item: _item_holds(item, check, operator))


def _column_holds(column: Column, check: Check, operator: str) -> Expression:
    value, kind = column
    if operator == "exists":
        return value.isnotnull()
    if operator in TEXTUAL:
        return _text_holds(value, check, operator) if kind == STRING else constant(False)
    sign = operator if operator in ORDERINGS else "="
    if kind in (WHOLE, NUMBER):
        compare_number = compare_whole if kind == WHOLE else compare_short
        return any_of([compare_number(value, sign, Decimal(number)) for number in check.numbers])
    if check.ignoring_case and kind == STRING:
        return any_of([_matches(value, check, "=", text) for text in check.texts])
    wanted: Sequence[object] = check.texts if kind == STRING else check.flags
    return any_of([compare(value, sign, one) for one in wanted])


def _item_holds(item: Expression, check: Check, operator: str) -> Expression:
    """Return whether an item passes. Lists and objects never do."""
    if operator in TEXTUAL:
        return is_string(item) & _text_holds(string_of(item), check, operator)
    sign = operator if operator in ORDERINGS else "="
    numbers = [_number_holds(item, sign, Decimal(number)) for number in check.numbers]
    if sign == "=":
        texts = [_equals(item, check, text) for text in check.texts]
        flags = [item == constant(str(flag).lower()) for flag in check.flags]
    else:
        texts = [is_string(item) & compare(string_of(item), sign, text) for text in check.texts]
        is_flag = item.isin(constant("true"), constant("false"))
        flags = [is_flag & compare(item == constant("true"), sign, flag) for flag in check.flags]
    return any_of([*texts, *flags, *numbers])


def _equals(item: Expression, check: Check, text: str) -> Expression:
    if check.ignoring_case:
        return is_string(item) & _matches(string_of(item), check, "=", text)
    return item == item_of(text)


def _text_holds(text: Expression, check: Check, operator: str) -> Expression:
    """Return whether a text passes a check whose operator is one of TEXTUAL."""
    if check.ignoring_case:
        return _matches(text, check, operator, check.texts[0])
    return call(_FUNCTIONS[operator], text, constant(check.texts[0]))


def _matches(text: Expression, check: Check, operator: str, wanted: str) -> Expression:
    return call("regexp_matches", text, constant(pattern(operator, wanted, ignoring_case=check.ignoring_case)))


def _number_holds(item: Expression, sign: str, value: Decimal) -> Expression:
    exact = compare_digits(digits_of(item), sign, value)
    return either(is_exact(item), exact, surely(compare_short(item.try_cast("DOUBLE"), sign, value)))
