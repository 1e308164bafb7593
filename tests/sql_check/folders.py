"""Rules between SQL files: no two have one name, folders of functions form layers, and references lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pglast
from pglast.parser import ParseError

from tests.sql_check.source import Problem, Source, body_of, parse

# Folders of functions, from the lowest. A function calls functions of its own folder and of lower layers.
LAYERS = (
    ("time",),
    ("names",),
    ("log", "quarantine"),
    ("hourly",),
    ("archive", "filters", "seals"),
    ("reports", "verify"),
    ("access", "alerts", "bi", "rebuild"),
    ("retention",),
    ("amendments", "history"),
)
# Only migrations use these: no function calls them, and they call none.
APART = ("schema",)
REFERENCE = re.compile(r"\bfunctions/[\w/]+\.sql\b")


def check_folders(root: Path) -> Iterator[Problem]:
    """Find the problems between the SQL files below a folder."""
    for kind in ("functions", "queries"):
        yield from check_names(root / kind)
    yield from check_calls(root / "functions")
    yield from check_references(root)


def check_names(folder: Path) -> Iterator[Problem]:
    """Find files that share a name, because functions and queries are called by name alone."""
    first: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.sql")):
        if path.stem in first:
            yield Problem(path, 1, f"{first[path.stem].relative_to(folder)} has the same name")
        first.setdefault(path.stem, path)


def check_calls(functions: Path) -> Iterator[Problem]:
    """Find folders that are no layer, and calls of functions outside the caller's folder and the layers below it."""
    heights = {folder: height for height, layer in enumerate(LAYERS) for folder in layer}
    files = sorted(functions.rglob("*.sql"))
    folders = {path.stem: path.parent.name for path in files}
    for path in files:
        mine = path.parent.name
        if path.parent.parent != functions or mine not in (*heights, *APART):
            yield Problem(path, 1, f"{mine} is not one of the folders of functions")
            continue
        for line, name in calls(Source(path, path.read_text(encoding="utf-8"))):
            theirs = folders.get(name, mine)
            is_below = mine in heights and theirs in heights and heights[theirs] < heights[mine]
            if theirs != mine and not is_below:
                yield Problem(path, line, f"{mine} calls {name} of {theirs}, which is not below it")


def calls(source: Source) -> Iterator[tuple[int, str]]:
    """Give line and name of each call in the bodies of a file: a name before a parenthesis."""
    try:
        bodies = [body for part, statement in parse(source) for _, body in [body_of(part, statement)]]
    except ParseError:  # check_file reports it
        return
    for body in bodies:
        tokens = [token for token in pglast.scan(body.text) if "COMMENT" not in token.name]
        for token, following in pairwise(tokens):
            if following.name == "ASCII_40":
                yield body.line_at(token.start), body.text[token.start : token.end + 1]


def check_references(root: Path) -> Iterator[Problem]:
    """Find comments that refer to a function's file that does not exist."""
    for path in sorted(root.rglob("*.sql")):
        source = Source(path, path.read_text(encoding="utf-8"))
        for match in REFERENCE.finditer(source.text):
            if not (root / match[0]).exists():
                yield source.problem(f"there is no {match[0]}", match.start())
