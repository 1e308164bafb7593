"""Rules for one SQL file.

The file parses, including the bodies of its functions, and is in lower case outside quotes. A file of `queries/` is
one statement under a header that names its parameters and rows. A file of `functions/` holds the function that it is
named after. A file of `views/` holds the view that it is named after, with a comment on it and on each column.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pglast
from pglast.ast import (
    ColumnRef,
    CommentStmt,
    CreateFunctionStmt,
    Node,
    RangeVar,
    ResTarget,
    SelectStmt,
    String,
    ViewStmt,
)
from pglast.parser import ParseError
from pglast.visitors import referenced_relations

from sql.statements import EVENT_COLUMNS
from tests.sql_check.source import Problem, Source, body_of, parse


def check_file(path: Path) -> Iterator[Problem]:
    """Find the problems of one SQL file; its folder decides which rules apply."""
    source = Source(path, path.read_text(encoding="utf-8"))
    try:
        statements = list(parse(source))
    except ParseError as error:
        yield source.unparsed(error)
        return
    yield from check_case(source)
    for part, statement in statements:
        yield from check_body(part, statement)
    if "queries" in path.parts:
        yield from check_query(source, [statement for _, statement in statements])
    if "functions" in path.parts:
        yield from check_function(source, [statement for _, statement in statements])
    if "views" in path.parts:
        yield from check_view(source, [statement for _, statement in statements])


def check_case(source: Source) -> Iterator[Problem]:
    for token in pglast.scan(source.text):
        word = source.text[token.start : token.end + 1]
        is_word = token.kind != "NO_KEYWORD" or token.name == "IDENT"
        if is_word and not word.startswith('"') and word != word.lower():
            yield source.problem(f"not in lower case: {word}", token.start)


def check_body(source: Source, statement: Node) -> Iterator[Problem]:
    """Find the problems of a function's or DO block's body, because the SQL parser sees it only as a string."""
    language, body = body_of(source, statement)
    if not body.text:
        return
    try:
        if language == "plpgsql":
            pglast.parse_plpgsql(source.text)
        else:
            yield from check_inlined(body, pglast.parse_sql(body.text))
        yield from check_case(body)
    except ParseError as error:
        yield body.unparsed(error)


def check_inlined(body: Source, statements: tuple[Node, ...]) -> Iterator[Problem]:
    """Find SQL functions that read `events`.

    PostgreSQL inlines them into the plans of their callers. When a day is attached while such a plan is made, the plan
    does not learn of the day, and stays: a statement is told of changes to the tables in its own text alone.
    """
    if any("events" in referenced_relations(statement) for statement in statements):
        yield body.problem("a function that reads events is in plpgsql, because plans with it inlined miss new days")


def check_query(source: Source, statements: list[Node]) -> Iterator[Problem]:
    header, text = split_header(source.text)
    described, used = parameters(header), parameters(text)
    if len(statements) != 1:
        yield source.problem(f"a query is one statement, not {len(statements)}")
    elif source.path.parent.name != "archive":  # its rows have the columns of its files
        yield from check_columns(source, statements[0])
    if not re.match(r"-- (?!\$|Rows:)\S", header):
        yield source.problem("the header does not begin with what the query is")
    if described != used:
        yield source.problem(f"the header describes {described}, the statement uses {used}")
    if used != list(range(1, len(used) + 1)):
        yield source.problem(f"parameters are not numbered from 1 without gaps: {used}")
    if not re.search(r"^-- Rows: \S", header, re.MULTILINE):
        yield source.problem("the header does not say how many rows there are (Rows: ...)")


def check_columns(source: Source, statement: Node) -> Iterator[Problem]:
    """Find queries of events whose columns are not EVENT_COLUMNS. Only the shard may follow; pages need it."""
    given = tuple(result_columns(statement))
    if {"event_id", "properties"} & set(given) and given not in (EVENT_COLUMNS, (*EVENT_COLUMNS, "shard")):
        yield source.problem(f"a query of events gives {', '.join(EVENT_COLUMNS)}, and shard at most")


def result_columns(statement: Node) -> Iterator[str]:
    """Give the names of a select's columns, without `*` and without unnamed columns."""
    targets = statement.targetList if isinstance(statement, SelectStmt) else None
    for target in targets or ():
        match target:
            case ResTarget(name=str(name)):
                yield name
            case ResTarget(val=ColumnRef(fields=[*_, String(sval=str(name))])):
                yield name


def split_header(text: str) -> tuple[str, str]:
    """Split the comment lines that a file begins with from the rest."""
    header = "".join(re.findall(r"\A(?:--.*\n)*", text))
    return header, text[len(header) :]


def parameters(text: str) -> list[int]:
    """Return the numbers of the parameters that a text names; `$2 to $4` names three."""
    named = {int(number) for number in re.findall(r"\$(\d+)\b", text)}
    for first, last in re.findall(r"\$(\d+) to \$(\d+)\b", text):
        named |= set(range(int(first), int(last)))
    return sorted(named)


def check_function(source: Source, statements: list[Node]) -> Iterator[Problem]:
    match statements:
        case [CreateFunctionStmt(replace=True, funcname=[*_, name])]:
            if name.sval != source.path.stem:
                yield source.problem(f"the file is not named after its function, {name.sval}")
        case _:
            yield source.problem("a function file is one `create or replace function`")
    if not source.text.startswith("-- "):
        yield source.problem("no header says what the function is")


def check_view(source: Source, statements: list[Node]) -> Iterator[Problem]:
    match statements:
        case [ViewStmt(replace=True, view=RangeVar(schemaname="bi", relname=name), aliases=[*aliases]), *comments]:
            columns = [alias.sval for alias in aliases]
        case _:
            yield source.problem("a view file is one `create or replace view bi.name (columns) as`, and comments")
            return
    if name != source.path.stem:
        yield source.problem(f"the file is not named after its view, {name}")
    expected = [("bi", name), *(("bi", name, column) for column in columns)]
    commented = [object_name(each) for each in comments]
    if commented != expected or len(comments) != len(expected):
        yield source.problem("after the view come comments on it and on each of its columns, in their order")


def object_name(comment: Node) -> tuple[str, ...]:
    """Return the parts of the name that a COMMENT statement comments on; none for other statements."""
    if not isinstance(comment, CommentStmt):
        return ()
    parts: Any = comment.object
    return tuple(part.sval for part in parts)
