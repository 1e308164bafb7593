"""Exports that a test asks for."""

from __future__ import annotations

import httpx

from tests.http.support.site import Site
from tests.support.exports import Row, rows_of

EXPORT = "/api/analytics/export"


def exported(site: Site, **query: object) -> tuple[httpx.Response, list[Row]]:
    """Return a successful export and its rows."""
    answer = site.client.get(EXPORT, params={name: str(value) for name, value in query.items()})
    assert answer.status_code == 200, answer.text
    return answer, rows_of(str(query.get("format", "csv")), answer.content)
