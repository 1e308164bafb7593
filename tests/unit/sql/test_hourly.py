"""The pages and the API's description use the words of sql/hourly.py."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from sql.hourly import DIMENSIONS, METRICS, STATES

SERVICE = Path(__file__).parents[3] / "service"
TRENDS = SERVICE / "openapi" / "paths" / "trends.yaml"


def listed(script: str, name: str) -> list[str]:
    text = (SERVICE / "web" / script).read_text(encoding="utf-8")
    (found,) = re.findall(rf"^(?:export )?const {name} = (\[.*?\]);", text, re.MULTILINE | re.DOTALL)
    return msgspec.json.decode(found, type=list[str])


def choices(parameter: str) -> list[str]:
    ((_, operation),) = msgspec.yaml.decode(TRENDS.read_bytes()).items()
    (found,) = [each for each in operation["get"]["parameters"] if each.get("name") == parameter]
    values: list[str] = found["schema"]["enum"]
    return values


def test_the_pages_know_the_metrics_and_dimensions() -> None:
    assert sorted(listed("core/state.js", "METRICS")) == sorted(METRICS)
    assert listed("core/state.js", "DIMENSIONS") == [*DIMENSIONS]


def test_the_pages_know_the_states_of_a_proof() -> None:
    assert sorted(listed("overview/proofs.js", "STATES")) == sorted(STATES)


def test_the_description_of_the_api_names_the_metrics_and_dimensions() -> None:
    assert choices("metric") == [*METRICS]
    assert choices("by") == [*DIMENSIONS]
