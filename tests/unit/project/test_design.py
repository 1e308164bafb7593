"""The rules that code and documents cite stand in docs/design.md, and the files that it names exist."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

# Rules that bind work to come. The section of each says so.
PLANNED = {"R14"}
ROOT = Path(__file__).parents[3]
DESIGN = ROOT / "docs" / "design.md"
FOLDERS = ("bench", "docs", "projections", "service", "sql", "tests")
KINDS = {".css", ".html", ".js", ".md", ".py", ".sql", ".toml", ".yaml"}
BUILT = "service/web/vendor"


def texts() -> Iterator[tuple[Path, str]]:
    """Give every file of the repository that may cite a rule, and its text."""
    for path in [*ROOT.iterdir(), *(file for folder in FOLDERS for file in (ROOT / folder).rglob("*"))]:
        if path.is_file() and (path.suffix in KINDS or path.name == "Makefile") and BUILT not in path.as_posix():
            yield path, path.read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """Return the section of each rule by the rule's number: R1, R2, ..."""
    found = re.split(r"^#+ (.*)$", DESIGN.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    titles, bodies = found[::2], found[1::2]
    rules = [(title.partition(".")[0], title + body) for title, body in zip(titles, bodies, strict=True)]
    return {rule: text for rule, text in rules if re.fullmatch(r"R\d+", rule)}


def test_every_rule_that_is_cited_has_its_section() -> None:
    cited = {(rule, path) for path, text in texts() for rule in re.findall(r"\bR\d+\b", text)}
    assert {rule for rule, _ in cited} >= {"R1", "R9"}
    unknown = {f"{rule} in {path.relative_to(ROOT)}" for rule, path in cited if rule not in sections()}
    assert unknown == set()


def test_the_rules_that_hold_come_first_and_both_are_numbered_in_order() -> None:
    rules = [f"R{number}" for number in range(1, 15)]
    assert [*sections()] == sorted(rules, key=lambda rule: (rule in PLANNED, int(rule[1:])))


def test_files_that_the_design_names_exist() -> None:
    named = re.findall(r"`([\w.-]*/[\w./-]*|[\w-]+\.toml)`", DESIGN.read_text(encoding="utf-8"))
    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_each_rule_says_what_would_break_it_and_what_keeps_it() -> None:
    for rule, text in sections().items():
        is_planned = "(planned)" in text.partition("\n")[0]
        assert is_planned == (rule in PLANNED)
        kept = "To be kept: " if is_planned else "Kept in: `"
        for part in ("- Why: ", f"- {kept}", "- What would break it: "):
            assert text.count(part) == 1, (rule, part)
