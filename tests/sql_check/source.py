"""SQL text with its place in a file, and how it is parsed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pglast
from pglast.ast import CreateFunctionStmt, DoStmt, Node
from pglast.parser import ParseError


@dataclass(frozen=True)
class Problem:
    """A problem, and its line (from 1) in a file."""

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


def parse(source: Source) -> Iterator[tuple[Source, Node]]:
    """Give each statement with its text. Raises pglast.parser.ParseError."""
    for piece in pglast.split(source.text, only_slices=True):
        part = source.part(piece.start, piece.stop)
        for raw in pglast.parse_sql(part.text):
            if raw.stmt is not None:
                yield part, raw.stmt


def body_of(source: Source, statement: Node) -> tuple[str, Source]:
    """Return language and text of a function's or DO block's body; the text is empty when there is none."""
    language, text = _quoted_body(statement)
    start = max(source.text.find(text), 0)
    return language, source.part(start, start + len(text))


def _quoted_body(statement: Node) -> tuple[str, str]:
    match statement:
        case CreateFunctionStmt():
            options = {option.defname: option.arg for option in statement.options or ()}
            text = options["as"][0].sval if "as" in options else ""
            return options["language"].sval, text
        case DoStmt():
            options = {option.defname: option.arg for option in statement.args or ()}
            return "plpgsql", options["as"].sval
    return "sql", ""
