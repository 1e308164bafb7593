"""Which fenced blocks the tests cannot run, and why. All others are run, or are output that is compared."""

from __future__ import annotations

from tests.docs.pages import Block

# By the page and the language, and a part of the text where a page has more of that language.
NOT_RUN = {
    ("README.md", "caddyfile", "reverse_proxy"): "is deploy/caddy/Caddyfile; tests/unit/project compares it",
    ("docs/deploy.md", "caddyfile", "reverse_proxy"): "is deploy/caddy/Caddyfile; tests/unit/project compares it",
    ("docs/deploy.md", "sh", "docker build"): "needs containers; tests/unit/project checks the file",
    ("docs/deploy.md", "sh", "docker compose"): "needs containers; tests/unit/project checks the file",
    ("docs/deploy.md", "sh", "docker run"): "needs containers; tests/unit/project compares it with compose.yaml",
    ("docs/deploy.md", "sh", "kubectl"): "needs Kubernetes; tests/unit/project checks the file",
    (
        "docs/deploy.md",
        "sh",
        "hourledger-projector",
    ): "needs systemd and a database; tests/unit/project checks the units",
    ("docs/deploy.md", "text", "as it was before"): "is a line of `make upgrade`; tests/integration compares it",
    ("docs/operations.md", "text", "history: older"): "needs a year of events; tests/integration/imports compares it",
    ("docs/contributing.md", "text", "tests/"): "is a picture",
    ("docs/archive.md", "text", "archive/writing"): "is a picture",
    ("docs/archive.md", "text", "it is missing"): "is a line of `make verify`; tests/integration compares it",
    ("docs/operations.md", "text", "the archive keeps"): "is a line of `make retention`; tests/integration compares it",
    ("docs/operations.md", "text", "LOG_DAYS=90"): "is a line of the service's log; tests/integration compares it",
    ("docs/operations.md", "sh", "service quarantine"): "needs a flood; tests/integration/projections runs it",
    ("docs/operations.md", "sh", "accept-damage"): "needs a damaged hour; tests/integration/projections runs it",
    ("docs/operations.md", "text", "hlw_"): "would close the site of other blocks; test_key_commands.py compares it",
    ("docs/archive.md", "py", "polars"): "needs pandas and polars; was tried by hand",
    ("docs/archive.md", "clickhouse", "file("): "needs ClickHouse; was tried by hand",
    ("docs/design.md", "", "browser"): "is a picture",
    ("docs/decisions/0002-setup-and-lock.md", "sh", "uv pip compile"): "needs uv and a package index",
}
# Commands that only `make -n` and --help check, because of what they would take.
ONLY_CHECKED = {
    "make demo": "makes 100,000 events; tests/http/edge/test_demo.py runs it with fewer",
}
# The language of a block, and the file that runs such blocks.
RUN_BY = {
    "console": "test_commands.py",  # and test_deploy.py, which needs a machine of its own
    "html": "test_snippets.py",
    "js": "test_snippets.py",
    "django": "test_snippets.py",
    "php": "test_snippets.py",
    "sql": "test_questions.py",
    "json": "test_questions.py",
    "duckdb": "test_archive.py",
    "python": "test_archive.py",
}


def reason(block: Block) -> str | None:
    """Return why a block is not run; None when it is."""
    return next((why for key, why in NOT_RUN.items() if matches(block, *key)), None)


def matches(block: Block, page: str, language: str, part: str) -> bool:
    return (block.page, block.language) == (page, language) and part in block.text
