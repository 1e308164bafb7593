"""The description of the API names what the service takes; tests/browser/test_definitions.py compares the page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import msgspec

from service.questions.divisions import OF_VISITS
from service.reports import top_keys, trend_question
from sql.hourly import DIMENSIONS

PATHS = Path(__file__).parents[3] / "service" / "openapi" / "paths"


def described(path: str, parameter: str) -> dict[str, Any]:
    ((_, operation),) = msgspec.yaml.decode((PATHS / f"{path}.yaml").read_bytes()).items()
    (found,) = [each for each in operation["get"]["parameters"] if each.get("name") == parameter]
    return dict(found)


def test_the_metrics_of_trends_are_those_that_it_takes() -> None:
    assert described("trends", "metric")["schema"]["enum"] == [*trend_question.TREND_METRICS]


def test_top_names_its_metrics_and_what_it_divides_by() -> None:
    assert described("top", "metric")["schema"]["enum"] == [*top_keys.METRICS]
    named = set(re.findall(r"`([a-z_]+)`", described("top", "by")["description"]))
    assert named == {*DIMENSIONS, "session_id", "user_id", *OF_VISITS, "page_viewed"}
