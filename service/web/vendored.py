"""Serves the third-party files of the pages, which `make setup` installs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import structlog
from litestar import Response, get

from service.errors import NotSetUp
from service.web import assets, dashboard_files

MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript"}

log = structlog.get_logger(__name__)


def routes(folder: Path = assets.VENDOR) -> list[Any]:
    """Return the routes of the files, which they read once. Without a file the service starts, but logs a warning."""
    contents = {name: _content(folder / name) for name in assets.SOURCES}
    if missing := [name for name, content in contents.items() if content is None]:
        log.warning("files of the pages are not installed; run make setup", files=missing)
    return [_route(name, content) for name, content in contents.items()]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None


def _route(name: str, content: bytes | None) -> Any:
    media_type = MEDIA_TYPES[Path(name).suffix]

    @get(f"/assets/{name}", name=name)
    async def file() -> Response[bytes]:
        if content is None:
            raise NotSetUp(f"{name} is not installed; run make setup")
        return Response(content, headers=dashboard_files.HEADERS | {"content-type": f"{media_type}; charset=utf-8"})

    return file
