r"""The one grammar of conditions, such as `tool_name exists and properties.plan = pro`, and its parser.

    where     := every { "or" every }
    every     := clause { "and" clause }
    clause    := "not" clause | "(" where ")" | condition
    condition := field comparison value [ "ignoring" "case" ]
               | field "in" "(" value { "," value } ")" [ "ignoring" "case" ]
               | field ( "exists" | "missing" )
    comparison := "=" | "!=" | "<" | "<=" | ">" | ">=" | "contains" | "starts" "with" | "ends" "with"
    field     := event_type | session_id | user_id | tool_name | action | demo_mode | risk_mode
               | "properties" "." name { "." name }
    name      := letters, digits, "_", "-" and "$", or a string
    value     := a string, or a word
    string    := a JSON string, or the same in single quotes, where \' is a single quote
    word      := characters other than blanks, double quotes, commas, parentheses and < > = !;
                 the first is not a single quote

A word such as 10 or true equals both the text and the number or truth value. A string equals only the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from service.questions.condition_values import unquoted, values_of, whole_text
from service.questions.conditions import (
    ANY,
    CASELESS,
    COMPARISONS,
    FIELDS,
    MOST_DEPTH,
    MOST_VALUES,
    NOT,
    OPERATORS,
    ORDERINGS,
    PROPERTIES,
    TEXTUAL,
    UNARY,
    Condition,
    Conditions,
    Group,
    Malformed,
    Path,
    Value,
    checked,
)
from service.questions.parameters import SHOWN

MOST_CHARACTERS = 4_000
# Of a path: `properties`, and a name for each level that they may have.
MOST_NAMES = 33
_QUOTES = "\"'"
_STRING = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_PLAIN = re.compile(r"[\w$-]+")
_NAME = rf"(?:{_PLAIN.pattern}|{_STRING})"
_NAMES = re.compile(rf"{_NAME}(?:\.{_NAME})*")
_TOKEN = re.compile(
    rf"""\s*(?:(?P<string>{_STRING})|(?P<sign><=|>=|!=|[=<>(),])"""
    rf"""|(?P<path>{PROPERTIES}(?:\.{_NAME})+(?=[\s=<>!]|$))|(?P<word>[^\s"'(),=<>!][^\s"(),=<>!]*))"""
)


def parse_conditions(text: str) -> Conditions:
    """Return the conditions of a text, none for a blank text. Raises Malformed."""
    if len(text) > MOST_CHARACTERS:
        raise Malformed(f"must be at most {MOST_CHARACTERS} characters long, not {len(text)}")
    try:
        whole_text(text)
    except ValueError as error:
        raise Malformed("must not hold a NUL character or half a character") from error
    tokens = _Tokens(text)
    found = _where(tokens, 0) if tokens.more() else ()
    if tokens.more():
        tokens.expect("and")
    return checked(found)


def property_path(text: str) -> Path:
    """Return the names in the path of a property. A text that is not a path is one name. Raises Malformed."""
    return tuple(_names(text)) if _NAMES.fullmatch(text) else (text,)


def field_path(text: str) -> Path | None:
    """Return the path of a field or of a property such as `properties.plan`, else None. Raises Malformed."""
    if text in FIELDS:
        return (text,)
    head, _, rest = text.partition(".")
    if head != PROPERTIES or not _NAMES.fullmatch(rest):
        return None
    names = (PROPERTIES, *_names(rest))
    if len(names) > MOST_NAMES:
        raise Malformed(
            f"must have at most {MOST_NAMES - 1} names after {PROPERTIES}, because properties nest no deeper"
        )
    return names


def path_text(names: Sequence[str]) -> str:
    """Return names as the path that conditions take after `properties.`. Odd names become JSON strings."""
    return ".".join(name if _PLAIN.fullmatch(name) else json.dumps(name, ensure_ascii=False) for name in names)


class _Tokens:
    """Gives the tokens of a text one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text.strip()
        self._tokens = list(_split(self._text))
        self._place = 0

    def more(self) -> bool:
        return self._place < len(self._tokens)

    def take(self, expected: str) -> tuple[str, str]:
        """Return the kind and the text of the next token. Raises Malformed at the end of the text."""
        if not self.more():
            raise Malformed(f"must have {expected} after {self._text[-SHOWN:]!r}")
        self._place += 1
        return self._tokens[self._place - 1]

    def takes(self, wanted: str) -> bool:
        """Take the next token if it is a word or a sign; return whether it was."""
        is_next = self.more() and self._tokens[self._place][1] == wanted
        self._place += is_next
        return is_next

    def expect(self, wanted: str) -> None:
        _, text = self.take(wanted)
        if text != wanted:
            raise Malformed(f"must have {wanted} before {text[:SHOWN]!r}")


def _split(text: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            rest = text[place:].strip()[:SHOWN]
            raise Malformed(
                f"must close the quote of {rest!r}" if rest[0] in _QUOTES else f"cannot be read from {rest!r} on"
            )
        place = found.end()
        yield found.lastgroup, found[found.lastgroup]


def _where(tokens: _Tokens, depth: int) -> Conditions:
    """Return the clauses of which all must pass: one, if there are alternatives."""
    if depth > MOST_DEPTH:
        raise Malformed(f"must have at most {MOST_DEPTH} parentheses or not inside each other")
    found = [_every(tokens, depth)]
    while tokens.takes("or"):
        found.append(_every(tokens, depth))
    return found[0] if len(found) == 1 else (Group(ANY, tuple(found)),)


def _every(tokens: _Tokens, depth: int) -> Conditions:
    found = [*_clause(tokens, depth)]
    while tokens.takes("and"):
        found += _clause(tokens, depth)
    return tuple(found)


def _clause(tokens: _Tokens, depth: int) -> Conditions:
    if tokens.takes("not"):
        if depth >= MOST_DEPTH:
            raise Malformed(f"must have at most {MOST_DEPTH} parentheses or not inside each other")
        return (Group(NOT, (_clause(tokens, depth + 1),)),)
    if tokens.takes("("):
        found = _where(tokens, depth + 1)
        tokens.expect(")")
        return found
    return (_condition(tokens),)


def _condition(tokens: _Tokens) -> Condition:
    kind, field = tokens.take("a field")
    path = field_path(field) if kind in ("path", "word") else None
    if path is None:
        known = ", ".join(FIELDS)
        raise Malformed(f"must name one of {known}, or a property such as properties.plan, not {field[:SHOWN]!r}")
    operator = _operator(tokens, field)
    if operator in UNARY:
        return Condition(path, operator)
    listed = operator == "in"
    values = tuple(_listed(tokens)) if listed else _compared(operator, values_of(*tokens.take("a value")))
    return Condition(path, operator, values, _ignores_case(tokens, operator))


def _operator(tokens: _Tokens, field: str) -> str:
    _, operator = tokens.take("an operator")
    if f"{operator} with" in TEXTUAL:
        tokens.expect("with")
        return f"{operator} with"
    if operator not in (*UNARY, "in", *COMPARISONS):
        raise Malformed(f"must have one of {', '.join(OPERATORS)} after {field[:SHOWN]}, not {operator[:SHOWN]!r}")
    return operator


def _ignores_case(tokens: _Tokens, operator: str) -> bool:
    if not tokens.takes("ignoring"):
        return False
    tokens.expect("case")
    if operator not in CASELESS:
        raise Malformed(f"can ignore case only after {', '.join(CASELESS)}, not after {operator}")
    return True


def _compared(operator: str, values: tuple[Value, ...]) -> tuple[Value, ...]:
    """Return the readings of a value that an operator compares with."""
    if operator in ORDERINGS:
        return values[-1:]  # the number, if the value has that reading
    return values[:1] if operator in TEXTUAL else values


def _listed(tokens: _Tokens) -> Iterator[Value]:
    tokens.expect("(")
    for _ in range(MOST_VALUES):
        yield from values_of(*tokens.take("a value"))
        _, sign = tokens.take(", or )")
        if sign == ")":
            return
        if sign != ",":
            raise Malformed(f"must have , or ) before {sign[:SHOWN]!r}")
    raise Malformed(f"must have at most {MOST_VALUES} values after in")


def _names(text: str) -> Iterator[str]:
    """Give the names in a path."""
    for name in re.findall(_NAME, text):
        yield unquoted(name) if name[0] in _QUOTES else name
