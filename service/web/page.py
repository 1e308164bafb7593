"""Serves the page and its assets; they hold no data, so they are open to everyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Response, get

FOLDER = Path(__file__).parent
HEADERS = {
    "content-security-policy": "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self';"
    " style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def routes() -> list[Any]:
    """Return the routes of the page; its files are read once."""
    return [_route("/", "page.html", "text/html")] + [
        _route(f"/assets/{name}", name, media_type)
        for name, media_type in (("page.css", "text/css"), ("page.js", "text/javascript"))
    ]


def _route(path: str, name: str, media_type: str) -> Any:
    content = (FOLDER / name).read_bytes()

    @get(path, name=name)
    async def file() -> Response[bytes]:
        return Response(content, headers=HEADERS | {"content-type": f"{media_type}; charset=utf-8"})

    return file
