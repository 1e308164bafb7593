"""Checks of the SQL that need no database: `python -m sql.check`. Exit status: 0 clean, 1 otherwise.

Every file parses, the bodies of its functions included, and is in lower case outside quotes. A file of `queries/` is
one statement under a header that names its parameters and rows; a file of `functions/` is the function it is named
after; a file of `views/` the view, with a comment on it and on each column. No statement hides in a Python string.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pglast
from pglast.ast import CommentStmt, CreateFunctionStmt, DoStmt, Node, RangeVar, ViewStmt
from pglast.parser import ParseError

PACKAGES = ("service", "projections", "sql")
STATEMENT = re.compile(r"\s*(select|insert|update|delete|with|create|alter|drop|truncate|merge)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Problem:
    """What is wrong, on which line (from 1) of a file."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Source:
    """SQL that begins on a line of a file: all of it, one statement, or a body quoted in one."""

    path: Path
    text: str
    line: int = 1

    def part(self, start: int, stop: int) -> Source:
        return Source(self.path, self.text[start:stop], self.line_at(start))

    def problem(self, message: str, offset: int = 0) -> Problem:
        return Problem(self.path, self.line_at(offset), message)

    def unparsed(self, error: ParseError) -> Problem:
        offset = error.args[1] if len(error.args) > 1 else None
        return self.problem(error.args[0], offset or 0)

    def line_at(self, offset: int) -> int:
        return self.line + self.text.count("\n", 0, offset)


@click.command()
def main() -> None:
    """Check every SQL file, and that no Python string holds SQL."""
    root = Path(__file__).parent
    files = sorted(root.rglob("*.sql"))
    modules = sorted(file for name in PACKAGES for file in (root.parent / name).rglob("*.py"))
    problems = [problem for file in files for problem in check_file(file)]
    problems += [problem for module in modules for problem in check_module(module)]
    for problem in problems:
        click.echo(problem, err=True)
    click.echo(f"sql: {len(files)} files, {len(modules)} modules, {len(problems)} problems")
    sys.exit(bool(problems))


def check_file(path: Path) -> Iterator[Problem]:
    """Find the problems of one SQL file; the folder it is in says which rules hold."""
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
        yield from check_query(source, len(statements))
    if "functions" in path.parts:
        yield from check_function(source, [statement for _, statement in statements])
    if "views" in path.parts:
        yield from check_view(source, [statement for _, statement in statements])


def parse(source: Source) -> Iterator[tuple[Source, Node]]:
    for piece in pglast.split(source.text, only_slices=True):
        part = source.part(piece.start, piece.stop)
        for raw in pglast.parse_sql(part.text):
            if raw.stmt is not None:
                yield part, raw.stmt


def check_case(source: Source) -> Iterator[Problem]:
    for token in pglast.scan(source.text):
        word = source.text[token.start : token.end + 1]
        is_word = token.kind != "NO_KEYWORD" or token.name == "IDENT"
        if is_word and not word.startswith('"') and word != word.lower():
            yield source.problem(f"not in lower case: {word}", token.start)


def check_body(source: Source, statement: Node) -> Iterator[Problem]:
    """Find the problems of a function's or DO block's body, which is only a string to the SQL parser."""
    language, text = quoted_body(statement)
    if not text:
        return
    start = max(source.text.find(text), 0)
    body = source.part(start, start + len(text))
    try:
        if language == "plpgsql":
            pglast.parse_plpgsql(source.text)
        else:
            pglast.parse_sql(text)
        yield from check_case(body)
    except ParseError as error:
        yield body.unparsed(error)


def quoted_body(statement: Node) -> tuple[str, str]:
    """Return language and text of a body; the text is empty when there is none."""
    match statement:
        case CreateFunctionStmt():
            options = {option.defname: option.arg for option in statement.options or ()}
            text = options["as"][0].sval if "as" in options else ""
            return options["language"].sval, text
        case DoStmt():
            options = {option.defname: option.arg for option in statement.args or ()}
            return "plpgsql", options["as"].sval
    return "sql", ""


def check_query(source: Source, statements: int) -> Iterator[Problem]:
    header, text = split_header(source.text)
    described, used = parameters(header), parameters(text)
    if statements != 1:
        yield source.problem(f"a query is one statement, not {statements}")
    if not re.match(r"-- (?!\$|Rows:)\S", header):
        yield source.problem("the header does not begin with what the query is")
    if described != used:
        yield source.problem(f"the header describes {described}, the statement uses {used}")
    if used != list(range(1, len(used) + 1)):
        yield source.problem(f"parameters are not numbered from 1 without gaps: {used}")
    if not re.search(r"^-- Rows: \S", header, re.MULTILINE):
        yield source.problem("the header does not say how many rows there are (Rows: ...)")


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
    """Return the parts of the name that a comment is on; none when it is no comment."""
    if not isinstance(comment, CommentStmt):
        return ()
    parts: Any = comment.object
    return tuple(part.sval for part in parts)


def check_module(path: Path) -> Iterator[Problem]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        text = literal(node)
        if STATEMENT.match(text) and is_sql(text):
            yield Problem(path, getattr(node, "lineno", 1), "SQL in a Python string")


def literal(node: ast.AST) -> str:
    """Return the text of a string or f-string, with a name for each value in it; empty for other nodes."""
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


if __name__ == "__main__":
    main()
