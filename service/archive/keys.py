"""The keys of events in a dimension as expressions of DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

from duckdb import CaseExpression, ColumnExpression, Expression

from service.archive.conditions import Column, Properties, field
from service.archive.json_text import (
    TEXT,
    call,
    constant,
    digits_of,
    either,
    extracted,
    is_string,
    string_of,
    with_exact_numbers,
)
from service.questions.conditions import PROPERTIES
from sql.archive.files import FLAG, NUMBER, STRING
from sql.hourly import OTHER

# The longest value of a property that is a key.
MOST_CHARACTERS = 128
# Numbers as DuckDB writes them that may have lost digits.
LOSES_DIGITS = constant("^-?[0-9]+[.eE]")
NO_KEY = constant(None).cast(TEXT)


def named_key(key: Expression, keys: Sequence[str] | None) -> Expression:
    """Return a key that is among `keys`, and (other) for any further one. None names every key."""
    if keys is None:
        return key
    named = key.isin(*map(constant, keys)) if keys else constant(False)
    return CaseExpression(key.isnull() | named, key).otherwise(constant(OTHER))


def event_key(dimension: str | None, path: Sequence[str] | None, properties: Properties) -> Expression:
    """Return an event's key, null without one. path: the names of a property, for the dimension `properties`."""
    if dimension is None:
        return NO_KEY
    return _field_key(dimension) if dimension != PROPERTIES else _property_key(tuple(path or ()), properties)


def _field_key(dimension: str) -> Expression:
    value, kind = field(dimension)
    return value.cast(TEXT) if kind == FLAG else value


def _property_key(names: tuple[str, ...], properties: Properties) -> Expression:
    found = properties.at(names)
    if found is None:
        return NO_KEY
    # A double does not tell 1.0 from 1.00, and these are two keys.
    if isinstance(found, Column) and found.kind != NUMBER:
        return _limited(found.value) if found.kind == STRING else found.value.cast(TEXT)
    text = ColumnExpression(PROPERTIES)
    item = extracted(text, names)
    has_digits_lost = call("regexp_matches", item, LOSES_DIGITS)
    exact = digits_of(extracted(with_exact_numbers(text), names))
    return (
        CaseExpression(item == constant("null"), NO_KEY)
        .when(call("regexp_matches", item, constant("^[{[]")), constant(OTHER))
        .when(is_string(item), _limited(string_of(item)))
        .when(has_digits_lost, _limited(exact))
        .otherwise(_limited(item))
    )


def _limited(text: Expression) -> Expression:
    return either(call("length", text) > constant(MOST_CHARACTERS), constant(OTHER), text)
