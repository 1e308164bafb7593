"""The pages of the documentation, and their parts: fenced blocks, links, headings, cells of tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"\s*```")


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its first fence."""

    page: str
    line: int
    language: str
    heading: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Page:
    """A page; its path is relative to the repository."""

    path: str
    text: str

    def blocks(self) -> list[Block]:
        """Return the fenced blocks, oldest line first."""
        return [part for part in self._parts() if isinstance(part, Block)]

    def prose(self) -> list[tuple[int, str]]:
        """Return the lines outside of fenced blocks, with their numbers."""
        return [part for part in self._parts() if not isinstance(part, Block)]

    def anchors(self) -> set[str]:
        """Return what a link may name after `#`, as GitHub makes it of a heading."""
        return {anchor(line.lstrip("# ")) for _, line in self.prose() if line.startswith("#")}

    def links(self) -> Iterator[str]:
        """Give the targets of links and pictures."""
        for _, line in self.prose():
            yield from re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", line))

    def cells(self) -> Iterator[tuple[int, str]]:
        """Give the cells of tables, with their lines."""
        for number, line in self.prose():
            if line.startswith("|"):
                for cell in re.split(r"(?<!\\)\|", line.strip().strip("|")):
                    yield number, cell.strip()

    def _parts(self) -> Iterator[Block | tuple[int, str]]:
        inside: list[str] | None = None
        heading, begun, language = "", 0, ""
        for number, line in enumerate(self.text.splitlines(), 1):
            if not FENCE.match(line):
                if inside is not None:
                    inside.append(line)
                    continue
                heading = line.lstrip("# ") if line.startswith("#") else heading
                yield number, line
            elif inside is None:
                inside, begun, language = [], number, line.strip().removeprefix("```")
            else:
                yield Block(self.path, begun, language, heading, dedent("\n".join(inside)) + "\n")
                inside = None


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@cache
def pages() -> tuple[Page, ...]:
    """Return the README, the pages of docs/, and the changelog."""
    found = chain([ROOT / "README.md"], sorted((ROOT / "docs").rglob("*.md")), [ROOT / "CHANGELOG.md"])
    return tuple(Page(str(path.relative_to(ROOT)), path.read_text()) for path in found)


def blocks(*languages: str) -> list[Block]:
    """Return the blocks of all pages in these languages, of all without any."""
    return [block for page in pages() for block in page.blocks() if not languages or block.language in languages]


def text() -> str:
    """Return the text of the pages that a user reads: all but decisions and the changelog."""
    return "\n".join(page.text for page in pages() if "decisions" not in page.path and page.path != "CHANGELOG.md")
