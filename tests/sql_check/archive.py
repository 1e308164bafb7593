"""Rules for one file of `sql/archive/`: it parses as DuckDB's, is in lower case, and its header says what it is.

It is one statement, except for CONFIGURE. Its parameters have names, which the header mentions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import duckdb

from tests.sql_check.source import Problem, Source

CONFIGURE = "configure"
PARAMETER = re.compile(r"\$[a-z_]+")


def is_of_archive(path: Path) -> bool:
    """Tell whether a file is DuckDB's, not PostgreSQL's."""
    return path.parts[-3:-1] == ("sql", "archive")


def check_archive_file(path: Path) -> Iterator[Problem]:
    """Find the problems of one file."""
    source = Source(path, path.read_text(encoding="utf-8"))
    with duckdb.connect() as connection:
        try:
            statements = connection.extract_statements(source.text)
        except duckdb.Error as error:
            yield source.problem(" ".join(str(error).split()))
            return
    if len(statements) != 1 and path.stem != CONFIGURE:
        yield source.problem(f"a file is one statement, not {len(statements)}")
    yield from check_words(source)
    yield from check_header(source)


def check_words(source: Source) -> Iterator[Problem]:
    for start, kind in duckdb.tokenize(source.text):
        word = re.match(r"\w*", source.text[start:])
        if kind in (duckdb.token_type.keyword, duckdb.token_type.identifier) and word and word[0] != word[0].lower():
            yield source.problem(f"not in lower case: {word[0]}", start)


def check_header(source: Source) -> Iterator[Problem]:
    header = "".join(re.findall(r"\A(?:--.*\n)*", source.text))
    described = set(PARAMETER.findall(header))
    used = set(PARAMETER.findall(source.text[len(header) :]))
    if described != used:
        yield source.problem(f"the header describes {sorted(described)}, the statement uses {sorted(used)}")
    if not re.match(r"-- (?!\$|Rows:)\S", header):
        yield source.problem("the header does not begin with what the statement is")
    if not re.search(r"^-- Rows: \S", header, re.MULTILINE):
        yield source.problem("the header does not say how many rows there are (Rows: ...)")
