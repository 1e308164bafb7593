"""The OpenAPI document. Litestar sees neither the track routes nor what raw requests hold: the paths are written here.

Each file in `paths/` is a part of the document's `paths`: an endpoint, and the other names that it has.
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
# Examples are written as if this were today, and told for the day on which they are read, so that they are accepted.
WRITTEN_FOR = date(2025, 10, 18)
_WRITTEN = re.compile(rb"(?<!\d)2025-10-\d\d(?!\d)")


class Document(JsonRenderPlugin):
    """Answers with what Litestar says of the service, and with the paths; both are put together once."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._written = b""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:  # noqa: ARG002
        """Return the document, with examples of today."""
        self._written = self._written or msgspec.json.encode(openapi_schema | described())
        return told_for(datetime.now(UTC).date(), self._written)


def described() -> dict[str, Any]:
    """Return `tags`, `components` and `paths` as they are written."""
    document: dict[str, Any] = msgspec.yaml.decode((FOLDER / "document.yaml").read_bytes())
    document["paths"] = {}
    for file in sorted(FOLDER.glob("paths/*.yaml")):
        document["paths"] |= msgspec.yaml.decode(file.read_bytes())
    return document


def told_for(day: date, document: bytes) -> bytes:
    """Return the document with the times of its examples as long before `day` as they are before the day of writing."""
    moved = day - WRITTEN_FOR

    def moved_date(found: re.Match[bytes]) -> bytes:
        return (date.fromisoformat(found[0].decode()) + moved).isoformat().encode()

    return _WRITTEN.sub(moved_date, document)
