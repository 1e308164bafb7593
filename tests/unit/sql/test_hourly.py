"""The description of the API uses the words of sql/hourly.py; tests/browser/test_definitions.py compares the page."""

from __future__ import annotations

from pathlib import Path

import msgspec

from sql.hourly import DIMENSIONS, METRICS

SERVICE = Path(__file__).parents[3] / "service"
TRENDS = SERVICE / "openapi" / "paths" / "trends.yaml"


def choices(parameter: str) -> list[str]:
    ((_, operation),) = msgspec.yaml.decode(TRENDS.read_bytes()).items()
    (found,) = [each for each in operation["get"]["parameters"] if each.get("name") == parameter]
    values: list[str] = found["schema"]["enum"]
    return values


def test_the_description_of_the_api_names_the_metrics_and_dimensions() -> None:
    assert choices("metric") == [*METRICS]
    assert choices("by") == [*DIMENSIONS]
