"""The system of the page is one file: no other file has a colour, a size of type or a radius of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

WEB = Path(__file__).parents[3] / "service/web"
TOKENS = WEB / "core/tokens.css"
PARTS = ("core", "overview", "shared", "views")
STYLES = sorted(style for part in PARTS for style in (WEB / part).glob("*.css") if style != TOKENS)
SCRIPTS = sorted(script for part in PARTS for script in (WEB / part).glob("*.js"))
COLOUR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|lab|lch|oklab|oklch|light-dark|color)\("
    r"|:[^;{}]*\b(?:white|black|red|green|blue|gr[ae]y|orange|yellow|purple)\b",
    re.IGNORECASE,
)
# The wall scales with the screen, in parts of its own size.
SIZE = re.compile(r"(?:var\(--text-[a-z]+\)|clamp\(.*\)|[\d.]+em)$")
ROUND = re.compile(r"(?:var\(--radius-[a-z]+\)|50%(?: / 30%)?|0)$")


def declarations(style: Path) -> list[tuple[str, str]]:
    """Return the names and values of a stylesheet's declarations."""
    text = re.sub(r"/\*.*?\*/", "", style.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"(?:^|[;{])\s*([\w-]+):\s*([^;{}]+?)\s*(?=[;}])", text)


@pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
def test_a_stylesheet_uses_the_system(style: Path) -> None:
    found = declarations(style)
    assert found
    assert [pair for pair in found if COLOUR.search(f"{pair[0]}: {pair[1]}")] == []
    sizes = [value for name, value in found if name == "font-size"]
    assert [value for value in sizes if not SIZE.match(value)] == []
    assert [value for name, value in found if name == "border-radius" and not ROUND.match(value)] == []


def test_scripts_have_no_colours() -> None:
    colour = re.compile(r"""["'`]#[0-9a-f]{3,8}["'`]|\b(?:rgba?|hsla?)\(""", re.IGNORECASE)
    assert [script.name for script in SCRIPTS if colour.search(script.read_text(encoding="utf-8"))] == []


def test_every_variable_that_is_used_is_defined() -> None:
    tokens = TOKENS.read_text(encoding="utf-8")
    defined = set(re.findall(r"(--[\w-]+):", tokens))
    used = {name for style in STYLES for name in re.findall(r"var\((--[\w-]+)", style.read_text(encoding="utf-8"))}
    own = {"--columns", "--heat"}  # which scripts set
    assert used - own <= defined
    assert len(re.findall(r"\n:root\[data-contrast", tokens)) == 1
