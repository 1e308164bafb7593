"""Which fenced blocks the tests cannot run, and why. All others are run, or are output that is compared."""

from __future__ import annotations

from tests.docs.pages import Block

# By the page and the language, and a part of the text where a page has more of that language.
NOT_RUN = {
    ("README.md", "caddyfile", "reverse_proxy"): "needs Caddy and a name with TLS; was tried by hand",
    ("docs/operations.md", "nginx", "proxy_pass"): "needs nginx; was tried by hand",
    ("docs/operations.md", "ini", "ExecStart"): "needs systemd",
    ("docs/contributing.md", "text", "tests/"): "is a picture",
    ("docs/design.md", "", "browser"): "is a picture",
    ("docs/decisions/0002-setup-and-lock.md", "sh", "uv pip compile"): "needs uv and a package index",
}
# Commands that only `make -n` and --help check, because of what they would take.
ONLY_CHECKED = {
    "make demo": "makes 100,000 events; tests/http/edge/test_demo.py runs it with fewer",
}
# The language of a block, and the file that runs such blocks.
RUN_BY = {
    "console": "test_commands.py",
    "html": "test_snippets.py",
    "js": "test_snippets.py",
    "django": "test_snippets.py",
    "php": "test_snippets.py",
    "sql": "test_questions.py",
    "json": "test_questions.py",
}


def reason(block: Block) -> str | None:
    """Return why a block is not run; None when it is."""
    return next((why for key, why in NOT_RUN.items() if matches(block, *key)), None)


def matches(block: Block, page: str, language: str, part: str) -> bool:
    return (block.page, block.language) == (page, language) and part in block.text
