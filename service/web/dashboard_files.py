"""Serves the page and its assets. They are open to everyone, because they hold no data."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

FOLDER = Path(__file__).parent
HEADERS = {
    "content-security-policy": "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self';"
    " style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}
# The folders of the page's files. The page loads core and overview at once, views when it first needs them. The page of
# share links is the same, with the script in shared.
PARTS = ("core", "overview", "shared", "views")
SCRIPT = b"assets/core/main.js"
SHARED_SCRIPT = b"assets/shared/shared.js"
# Matches a line of a script that is a comment. Visitors do not load comments, which are a tenth of all bytes.
COMMENT = re.compile(rb"^[ ]*//.*$", re.MULTILINE)
# Whose pages may embed the dashboard.
NO_ONE = "'none'"
MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
}


def files() -> dict[str, Path]:
    """Return the path and the file of everything that the page serves."""
    parts = sorted(part for name in PARTS for part in (FOLDER / name).iterdir())
    return {"/": FOLDER / "page.html", "/assets/icon.svg": FOLDER / "icon.svg"} | {
        f"/assets/{part.parent.name}/{part.name}": part for part in parts if part.suffix in MEDIA_TYPES
    }


def served(file: Path) -> bytes:
    """Return what the page serves of a file: a script without its comments, any other file as it is.

    Lines keep their numbers, so that the browser's tools name the right ones.
    """
    content = file.read_bytes()
    return COMMENT.sub(b"", content) if file.suffix == ".js" else content


def shared_page(origins: Sequence[str]) -> tuple[bytes, dict[str, str]]:
    """Return the page of a share link and its headers. origins: whose pages may embed it."""
    ancestors = f"frame-ancestors {' '.join(origins) or NO_ONE}"
    policy = HEADERS["content-security-policy"].replace(f"frame-ancestors {NO_ONE}", ancestors)
    return _shared_page(), HEADERS | {"content-security-policy": policy, "content-type": MEDIA_TYPES[".html"]}


@cache
def _shared_page() -> bytes:
    page = (FOLDER / "page.html").read_bytes()
    return page.replace(SCRIPT, SHARED_SCRIPT).replace(b"<html ", b"<html data-shared ", 1)


def routes() -> list[Any]:
    """Return the routes of the page. They read its files once.

    They are one handler, because each one more takes a millisecond when the service starts.
    """
    answers = {path: (served(file), MEDIA_TYPES[file.suffix]) for path, file in files().items()}

    @get(list(answers), name="dashboard")
    async def answer(request: Request[Any, Any, Any]) -> Response[bytes]:
        content, media_type = answers[request.scope["path_template"]]
        return Response(content, headers=HEADERS | {"content-type": media_type})

    return [answer]
