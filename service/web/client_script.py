"""Serves the browser client as a script under two names and as an ES module, with its types. Any page may load it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, Response, get

from service.errors import NotSetUp
from service.web.assets import CLIENT, VENDOR

JAVASCRIPT = "text/javascript; charset=utf-8"
HEADERS = {
    "access-control-allow-origin": "*",
    # The client reads the service's clock from this header.
    "access-control-expose-headers": "Date",
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
    tag = f'"{sha256(content or b"").hexdigest()[:16]}"'

    @get(path, name=path)
    async def script(request: Request[Any, Any, Any]) -> Response[bytes]:
        if content is None:
            raise NotSetUp(f"{path} is not built; run make setup")
        known = request.headers.get("if-none-match") == tag
        headers = HEADERS | {"etag": tag, "content-type": media_type}
        return Response(b"" if known else content, status_code=304 if known else 200, headers=headers)

    return script
