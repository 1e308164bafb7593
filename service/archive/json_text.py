r"""Reads JSON text in DuckDB: values at a path, the elements of lists, and numbers with all their digits.

An item is the JSON text of one value, as DuckDB writes it. DuckDB reads numbers as doubles, which do not keep every
digit. So `with_exact_numbers` of sql/archive/configure.sql first turns each number into a string that begins with NUL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import count

from duckdb import (
    CaseExpression,
    CoalesceOperator,
    ColumnExpression,
    ConstantExpression,
    Expression,
    FunctionExpression,
    LambdaExpression,
)

from sql.archive.files import json_pointer

# How an exact number begins in an item.
EXACT = '"\\u0000'
# A name that DuckDB's JSON pointers take as a place in a list.
_PLACE = re.compile(r"[0-9]+|-", re.ASCII)
# A place in a list as PostgreSQL reads it: white space and a sign are allowed.
_POSTGRES_PLACE = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)", re.ASCII)
_INT32 = range(-(2**31), 2**31)
# Each lambda's element has its own name, so that none hides another's.
_numbers = count()

TEXT = "VARCHAR"
_NONE = ConstantExpression(None).cast(TEXT)

Change = Callable[[Expression], Expression]


def constant(value: object) -> Expression:
    """Return a constant."""
    return ConstantExpression(value)


def call(name: str, *given: Expression) -> Expression:
    """Return the result of a function of DuckDB."""
    return FunctionExpression(name, *given)


def either(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """Return `then` where the condition holds, else `otherwise`."""
    return CaseExpression(condition, then).otherwise(otherwise)


def surely(condition: Expression) -> Expression:
    """Return a condition that is false where it was unknown."""
    return CoalesceOperator(condition, constant(False))


def any_of(conditions: Sequence[Expression]) -> Expression:
    """Return whether any condition holds: false when there are none."""
    found = constant(False)
    for place, condition in enumerate(conditions):
        found = found | condition if place else condition
    return found


def with_exact_numbers(text: Expression) -> Expression:
    """Return JSON text with each number as a string of NUL and its digits."""
    return call("with_exact_numbers", text)


def is_list(item: Expression) -> Expression:
    """Return whether an item is a list."""
    return call("starts_with", item, constant("["))


def is_string(item: Expression) -> Expression:
    """Return whether an item is a string."""
    return call("starts_with", item, constant('"')) & ~is_exact(item)


def is_exact(item: Expression) -> Expression:
    """Return whether an item is a number whose digits were kept."""
    return call("starts_with", item, constant(EXACT))


def string_of(item: Expression) -> Expression:
    """Return the text of an item that is a string."""
    return call("json_extract_string", item, constant("$"))


def digits_of(item: Expression) -> Expression:
    """Return the digits of an item whose digits were kept."""
    return call("substring", item, constant(len(EXACT) + 1), call("length", item) - constant(len(EXACT) + 1))


def item_of(text: str) -> Expression:
    """Return the item that is a string."""
    return call("to_json", constant(text)).cast(TEXT)


def item_at(text: Expression, names: Sequence[str]) -> Expression:
    """Return the item at a path through objects, null when there is none.

    A name of digits also leads into a list; see goes_through_list.
    """
    return call("json_extract", text, constant(json_pointer(names))).cast(TEXT)


def any_item(text: Expression, names: Sequence[str], passes: Change) -> Expression:
    """Return whether a value at a path passes, by the rules of jsonpath in lax mode.

    A list on the way, or at the end, stands for its elements.
    """
    direct = _named(item_at(text, names), lambda item: any_element(item, passes))
    if len(names) == 1:
        return direct
    spread = _any(_spread(_through_lists(text, names)), passes)
    on_the_way = [is_list(item_at(text, names[:length])) for length in range(1, len(names))]
    through_list = surely(any_of(on_the_way))
    if any(_PLACE.fullmatch(name) for name in names[1:]):
        return either(through_list, spread, direct)
    return either(item_at(text, names).isnotnull(), direct, either(through_list, spread, constant(False)))


def any_element(item: Expression, passes: Change) -> Expression:
    """Return whether an element of an item that is a list passes, or the item itself when it is none."""
    return either(is_list(item), _any(_elements(item), passes), passes(item))


def extracted(text: Expression, names: Sequence[str]) -> Expression:
    """Return the item at a path as PostgreSQL's `#>` finds it: in a list, a name is a place."""
    if not any(_POSTGRES_PLACE.fullmatch(name) for name in names[1:]):
        return item_at(text, names)
    item = item_at(text, names[:1])
    for name in names[1:]:
        item = _named(item, _inside(name))
    return item


def _inside(name: str) -> Change:
    return lambda item: either(is_list(item), _at_place(item, name), _member(item, name))


def _named(item: Expression, use: Change) -> Expression:
    """Return what `use` makes of an item, which is computed once however often `use` names it."""
    return call("list_extract", _each(call("list_value", item), use), constant(1))


def _at_place(items: Expression, name: str) -> Expression:
    found = _POSTGRES_PLACE.fullmatch(name)
    place = int(found[1]) if found else None
    if place is None or place not in _INT32:
        return _NONE
    path = f"$[{place}]" if place >= 0 else f"$[#{place}]"
    return call("json_extract", items, constant(path)).cast(TEXT)


def _member(item: Expression, name: str) -> Expression:
    return either(call("starts_with", item, constant("{")), item_at(item, [name]), _NONE)


def _member_of(name: str) -> Change:
    return lambda item: _member(item, name)


def _elements(items: Expression) -> Expression:
    return call("json_extract", items, constant("$[*]")).cast("VARCHAR[]")


def _any(items: Expression, passes: Change) -> Expression:
    return surely(call("list_bool_or", _each(items, passes)))


def _each(items: Expression, change: Change) -> Expression:
    return call("list_transform", items, of_each(change))


def of_each(change: Change) -> Expression:
    """Return the function of a list's element that DuckDB's list functions take."""
    name = f"item {next(_numbers)}"
    return LambdaExpression(name, change(ColumnExpression(name)))


def _spread(items: Expression) -> Expression:
    """Return items with the elements of each list in its place."""
    return call("flatten", _each(items, lambda item: either(is_list(item), _elements(item), call("list_value", item))))


def _through_lists(text: Expression, names: Sequence[str]) -> Expression:
    """Return the list of the values at a path, where a list on the way stands for its elements."""
    items = call("list_value", text)
    for name in names:
        members = _each(_spread(items), _member_of(name))
        items = call("list_filter", members, of_each(lambda item: item.isnotnull()))
    return items
