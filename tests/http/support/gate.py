"""Paths by who may ask them, and how a test asks."""

from __future__ import annotations

import json

from service.http.gate import CLIENT_PATHS
from tests.http.conftest import READ_TOKEN
from tests.http.support.site import an_event

TRACK_PATHS = ("/api/analytics/track", "/e", "/api/analytics/track/batch", "/e/batch")
READS = (
    "/api/analytics/track",
    "/e",
    "/api/analytics/rollups",
    "/api/analytics/rollups/2025-10-18T01:00Z",
    "/api/analytics/client",
    "/metrics",
    "/nothing/here",
    "/health",
    "/assets",
)
OPEN = ("/", "/assets/core/page.css", "/assets/core/main.js", "/health/live", "/health/ready", *sorted(CLIENT_PATHS))
READER = {"authorization": f"Bearer {READ_TOKEN}"}


def body_for(path: str) -> str:
    return json.dumps(an_event() if "batch" not in path else [an_event()])
