"""What ran, and what is left out."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path

import pglast

from sql.migrate import FUNCTIONS, VIEWS
from sql.statements import load
from tests.sql_check.folders import APART, calls
from tests.sql_check.source import Source

# The folder to record in, for all workers.
FOLDER = "HOURLEDGER_TEST_RAN"
# A file of it, with a pair in JSON on each line: a kind and a text.
RAN = "ran"
STATEMENT, FUNCTION = "statement", "function"


def left_out(ran: Path) -> tuple[set[str], set[str], int]:
    """Return the names of queries and of functions that did not run, and the number of all."""
    texts: dict[str, set[str]] = {STATEMENT: set(), FUNCTION: set()}
    for line in ran.read_text(encoding="utf-8").splitlines():
        kind, text = json.loads(line)
        texts[kind].add(text)
    queries: dict[str, str] = asdict(load())
    seen = {name for name, text in queries.items() if _is_among(text, texts[STATEMENT])}
    functions = {path.stem: path for path in FUNCTIONS.rglob("*.sql") if path.parent.name not in APART}
    called = texts[FUNCTION] & functions.keys()
    called |= _inlined(functions, called, {name for text in texts[STATEMENT] for name in _names(text)})
    return queries.keys() - seen, functions.keys() - called, len(queries) + len(functions)


def _is_among(query: str, statements: set[str]) -> bool:
    """Tell whether a query ran as it is, or with values in place of its parameters, as in a COPY."""
    text = query.strip()
    if text in statements or query in statements:
        return True
    pattern = re.compile(re.sub(r"\\\$\d+", ".+?", re.escape(text)), re.DOTALL)
    return any(pattern.search(statement) for statement in statements if len(statement) >= len(text) // 2)


def _inlined(functions: dict[str, Path], called: set[str], named: set[str]) -> set[str]:
    """Return functions in SQL, which the server does not count once it has put them into the plan of their caller."""
    bodies = {name: {each for _, each in calls(_source(path))} for name, path in functions.items()}
    views = {path.stem: _names(path.read_text(encoding="utf-8")) for path in VIEWS.rglob("*.sql")}
    named |= {each for view, names in views.items() if view in named for each in names}
    found: set[str] = set()
    while True:
        callers = named.union(*(bodies[name] for name in called | found))
        more = {name for name, path in functions.items() if name in callers and _is_sql(path)} - found
        if not more:
            return found
        found |= more


def _is_sql(path: Path) -> bool:
    return "language sql" in path.read_text(encoding="utf-8")


def _source(path: Path) -> Source:
    return Source(path, path.read_text(encoding="utf-8"))


def _names(text: str) -> set[str]:
    """Return the names before parentheses, and after a schema, in a statement; none where it is no SQL."""
    try:
        tokens = [token for token in pglast.scan(text) if "COMMENT" not in token.name]
    except pglast.parser.ParseError:
        return set()
    words = [(text[token.start : token.end + 1], token.name) for token in tokens]
    calls_of = {word for (word, _), (_, following) in pairwise(words) if following == "ASCII_40"}
    return calls_of | {word for (_, dot), (word, _) in pairwise(words) if dot == "ASCII_46"}
