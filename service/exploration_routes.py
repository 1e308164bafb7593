"""The routes by which people look into what was sent."""

from __future__ import annotations

from typing import Any

from litestar import Response, get

from service.analytics_routes import Asked, answer_of, query_of
from service.property_values import PropertyValues


def exploration_routes(properties: PropertyValues) -> list[Any]:
    """Return the routes of properties."""

    @get("/api/analytics/properties", name="properties")
    async def properties_page(request: Asked) -> Response[bytes]:
        return await answer_of(request, properties.page(query_of(request)))

    return [properties_page]
