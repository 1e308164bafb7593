"""Paths that several tests ask."""

TRACK = "/api/analytics/track"
ROLLUPS = "/api/analytics/rollups"
TRENDS = "/api/analytics/trends"
SUMMARY = "/api/analytics/summary"
TOP = "/api/analytics/top"
PROOFS = "/api/analytics/proofs"
