"""Conditions on events, in the form in which they travel to the process that answers a question."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from decimal import Decimal

from msgspec import Struct

from service.questions.conditions import PROPERTIES, Clause, Condition, Path, equals
from service.questions.filters import Filters


class Check(Struct, frozen=True, array_like=True):
    """A condition. Its values by kind: texts, numbers as decimal digits, and truth values. One of them must pass.

    parts: for a group, whose operator is ANY or NOT and whose path is empty.
    """

    path: Path
    operator: str
    texts: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    flags: tuple[bool, ...] = ()
    ignoring_case: bool = False
    parts: tuple[tuple[Check, ...], ...] = ()


Checks = tuple[Check, ...]


def checks_of(conditions: Iterable[Clause]) -> Checks:
    """Return conditions as checks."""
    return tuple(
        _check(clause)
        if isinstance(clause, Condition)
        else Check((), clause.kind, parts=tuple(map(checks_of, clause.parts)))
        for clause in conditions
    )


def leaves(checks: Iterable[Check]) -> Iterator[Check]:
    """Give the checks in all groups."""
    for check in checks:
        if not check.parts:
            yield check
        for part in check.parts:
            yield from leaves(part)


def filter_checks(filters: Filters) -> Checks:
    """Return the checks that an event passes when it passes the filters."""
    plain = [(field.name, getattr(filters, field.name)) for field in fields(filters) if field.name != "where"]
    return checks_of([*(equals(name, value) for name, value in plain if value is not None), *filters.where])


def _check(condition: Condition) -> Check:
    texts, numbers, flags = [], [], []
    for value in condition.values:
        if isinstance(value, str):
            texts.append(value)
        elif isinstance(value, bool):
            flags.append(value)
        else:
            # The digits that PostgreSQL would be given.
            numbers.append(str(Decimal(repr(value) if isinstance(value, float) else value)))
    return Check(
        condition.path, condition.operator, tuple(texts), tuple(numbers), tuple(flags), condition.ignoring_case
    )


def names_of_checks(checks: Iterable[Check]) -> set[str]:
    """Return the names, at the top level of properties, that checks read."""
    return {check.path[1] for check in leaves(checks) if check.path[0] == PROPERTIES}


def columns_of_checks(checks: Sequence[Check]) -> set[str]:
    """Return the columns that checks read."""
    # The text of properties keeps the digits of numbers that are compared where it has long ones.
    found = [*leaves(checks)]
    long_numbers = {"long_numbers" for check in found if check.numbers and check.path[0] == PROPERTIES}
    return {check.path[0] for check in found} | long_numbers
