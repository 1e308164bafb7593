"""Serves the browser client as a script under two names and as an ES module, with its types. Any page may load it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from litestar import Response, get

from service.errors import NotSetUp
from service.web.assets import CLIENT, VENDOR

JAVASCRIPT = "text/javascript; charset=utf-8"
HEADERS = {
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",
}


def routes() -> list[Any]:
    """Return the routes. They read the files once. Without a file the service starts, and its route says so."""
    return [
        _route("/analytics.js", VENDOR / "analytics.js", JAVASCRIPT),
        # A name that no blocklist knows.
        _route("/h.js", VENDOR / "analytics.js", JAVASCRIPT),
        _route("/analytics.mjs", VENDOR / "analytics.mjs", JAVASCRIPT),
        _route("/analytics.d.mts", CLIENT / "analytics.d.mts", "text/plain; charset=utf-8"),
    ]


def _route(path: str, file: Path, media_type: str) -> Any:
    content = file.read_bytes() if file.is_file() else None

    @get(path, name=path)
    async def script() -> Response[bytes]:
        if content is None:
            raise NotSetUp(f"{path} is not built; run make setup")
        return Response(content, headers=HEADERS | {"content-type": media_type})

    return script
