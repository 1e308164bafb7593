"""Serves the dashboard and its files; they hold no data, so they are open to everyone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Response, get

FOLDER = Path(__file__).parent / "dashboard"
INDEX = "index.html"
MEDIA_TYPES = {".css": "text/css", ".html": "text/html", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS = {
    "content-security-policy": "default-src 'none'; connect-src 'self'; img-src 'self'; script-src 'self';"
    " style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def routes() -> list[Any]:
    """Return the routes of the page; its files are read once."""
    return [_route(f"/assets/{path.name}", path) for path in sorted(FOLDER.iterdir()) if path.name != INDEX] + [
        _route("/", FOLDER / INDEX)
    ]


def _route(path: str, file: Path) -> Any:
    content = file.read_bytes()
    media_type = MEDIA_TYPES[file.suffix]

    @get(path, name=file.name)
    async def served() -> Response[bytes]:
        return Response(content, headers=HEADERS | {"content-type": f"{media_type}; charset=utf-8"})

    return served
