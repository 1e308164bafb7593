"""Saved views over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.support.site import Site, refused, unique

VIEWS = "/api/analytics/views"


def test_a_view_is_saved_replaced_listed_and_deleted(site: Site) -> None:
    name = unique("Ünique (1)")
    first = site.client.put(f"{VIEWS}/{name}", json={"search": "?range=30d"}).json()["view"]
    assert (first["name"], first["search"]) == (name, "?range=30d")
    second = site.client.put(f"{VIEWS}/{name}", json={"search": "?view=funnels&step=event_type+%3D+a"}).json()["view"]
    assert second["created_at"] == first["created_at"]
    assert second["updated_at"] > first["updated_at"]
    listed = site.get(VIEWS)["views"]
    assert [view for view in listed if view["name"] == name] == [second]
    assert site.client.delete(f"{VIEWS}/{name}").json() == {"ok": True, "name": name}
    refused(site.client.delete(f"{VIEWS}/{name}"), 404, "not_found")


@pytest.mark.parametrize(
    "body", [{}, {"search": "range=30d"}, {"search": "?\n"}, {"search": "?" + "x" * 8_000}, {"search": 3}]
)
def test_what_is_no_view_is_refused(site: Site, body: dict[str, Any]) -> None:
    answer = site.client.put(f"{VIEWS}/{unique('view')}", json=body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "search"), answer.text


def test_a_name_fits_into_a_path(site: Site) -> None:
    refused(site.client.put(f"{VIEWS}/{'x' * 129}", json={"search": "?"}), 400, "invalid_parameter", "name")


def test_seals_are_listed(site: Site) -> None:
    assert site.get("/api/analytics/seals") == {"ok": True, "count": 0, "seals": []}
