"""No statement hides in a Python string."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pglast
from pglast.parser import ParseError

from tests.sql_check.source import Problem

STATEMENT = re.compile(r"\s*(select|insert|update|delete|with|create|alter|drop|truncate|merge)\s", re.IGNORECASE)


def check_module(path: Path) -> Iterator[Problem]:
    """Find strings of a module that are SQL."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = literal(node)
        if STATEMENT.match(text) and is_sql(text):
            yield Problem(path, getattr(node, "lineno", 1), "SQL in a Python string")


def literal(node: ast.AST) -> str:
    """Return the text of a string or f-string, with a name in place of each value; empty for other nodes."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            return "".join(literal(value) or "value" for value in values)
    return ""


def is_sql(text: str) -> bool:
    try:
        return bool(pglast.parse_sql(text))
    except ParseError:
        return False
