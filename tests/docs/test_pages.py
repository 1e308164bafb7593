"""The form of the pages: blocks have a language and a test, links lead somewhere, tables can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.blocks import NOT_RUN, RUN_BY, matches, reason
from tests.docs.pages import ROOT, Block, Page, blocks, pages

MOST_WORDS = 25
BY_PATH = {page.path: page for page in pages()}


@pytest.mark.parametrize("block", blocks(), ids=str)
def test_a_block_is_run_or_says_why_not(block: Block) -> None:
    assert (block.language in RUN_BY) != (reason(block) is not None)


@pytest.mark.parametrize("key", NOT_RUN, ids=str)
def test_each_reason_belongs_to_one_block(key: tuple[str, str, str]) -> None:
    assert len([block for block in blocks() if matches(block, *key)]) == 1


@pytest.mark.parametrize("file", sorted(set(RUN_BY.values())))
def test_the_tests_that_run_blocks_exist(file: str) -> None:
    assert (Path(__file__).parent / file).is_file()


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_a_cell_of_a_table_has_few_words(page: Page) -> None:
    long = [(line, len(cell.split()), cell) for line, cell in page.cells() if len(cell.split()) > MOST_WORDS]
    assert not long


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_links_lead_to_pages_and_headings(page: Page) -> None:
    for link in page.links():
        if re.match("https?://", link):
            continue
        path, _, fragment = link.partition("#")
        target = (ROOT / page.path).parent / path if path else ROOT / page.path
        assert target.exists(), link
        if fragment:
            assert fragment in BY_PATH[str(target.resolve().relative_to(ROOT))].anchors(), link


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.path)
def test_files_that_a_page_names_exist(page: Page) -> None:
    named = re.findall(r"`((?:service|projections|sql|tests|bench|docs)/[\w./*-]+)`", page.text)
    assert [name for name in named if not any(ROOT.glob(name.rstrip("/")))] == []


def test_the_index_names_every_page() -> None:
    linked = {link.partition("#")[0] for link in BY_PATH["docs/README.md"].links()}
    guides = {page.path.removeprefix("docs/") for page in pages() if re.fullmatch(r"docs/[\w-]+\.md", page.path)}
    assert guides - {"README.md"} <= linked


def test_each_decision_begins_with_its_number() -> None:
    for page in pages():
        if page.path.startswith("docs/decisions/"):
            assert re.match(rf"# {Path(page.path).name[:4]} \S", page.text), page.path
