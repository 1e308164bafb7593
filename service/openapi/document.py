"""The OpenAPI document. The paths are written by hand, because Litestar sees neither track routes nor raw requests.

Each file in `paths/` describes one endpoint or a few related ones, under all their paths.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
from litestar import Request
from litestar.enums import MediaType
from litestar.openapi.plugins import JsonRenderPlugin

FOLDER = Path(__file__).parent
# Examples assume that this is today. `told_for` moves their times to the day of reading, so that they are accepted.
WRITTEN_FOR = date(2025, 10, 18)
_WRITTEN = re.compile(rb"(?<!\d)2025-10-\d\d(?!\d)")


class Document(JsonRenderPlugin):
    """Answers with Litestar's part of the document and our paths; it joins the two once."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._written = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Return the document, with the times of its examples moved to today."""
        self._written = self._written or msgspec.json.encode(openapi_schema | described())
        return told_for(datetime.now(UTC).date(), self._written)


def described() -> dict[str, Any]:
    """Return `tags`, `components` and `paths`, read from the YAML files."""
    document: dict[str, Any] = msgspec.yaml.decode((FOLDER / "document.yaml").read_bytes())
    document["paths"] = {}
    for file in sorted(FOLDER.glob("paths/*.yaml")):
        document["paths"] |= msgspec.yaml.decode(file.read_bytes())
    return document


def told_for(day: date, document: bytes) -> bytes:
    """Return the document with the times of its examples moved by the days from WRITTEN_FOR to `day`."""
    moved = day - WRITTEN_FOR

    def moved_date(found: re.Match[bytes]) -> bytes:
        return (date.fromisoformat(found[0].decode()) + moved).isoformat().encode()

    return _WRITTEN.sub(moved_date, document)
