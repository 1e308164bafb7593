"""The buckets of a summary have the totals that trends give, from rollups and from raw events."""

from __future__ import annotations

from typing import Any

import pytest

from sql.hourly import METRICS
from tests.http.support.known import Known
from tests.http.support.paths import SUMMARY, TRENDS
from tests.http.support.site import HOUR, text_of


@pytest.mark.parametrize("interval", ["quarter", "hour", "day"])
@pytest.mark.parametrize("filters", [{}, {"demo_mode": "true"}])
def test_each_bucket_has_the_totals_of_the_trends(known: Known, interval: str, filters: dict[str, str]) -> None:
    until = known.busiest() + 4 * HOUR
    asked: dict[str, Any] = {"from": text_of(until - 40 * HOUR), "to": text_of(until), **filters}
    course = {"interval": interval, "tz": "Asia/Kathmandu"}
    answer = known.site.get(SUMMARY, compare="previous", **course, **asked)
    # All else is as it is without buckets.
    buckets = answer.pop("buckets")
    assert answer == known.site.get(SUMMARY, compare="previous", **asked)
    assert answer["totals"]["events"] > 0
    for metric in METRICS:
        if metric == "new_users" and filters:
            assert {bucket["totals"][metric] for bucket in buckets} == {None}
            continue
        trend = known.site.get(TRENDS, metric=metric, **course, **asked)
        found = [
            {name: bucket[name] for name in ("start", "end", "complete")} | {"value": bucket["totals"][metric]}
            for bucket in buckets
        ]
        assert found == trend["buckets"]
        assert sorted(buckets[0]["totals"]) == sorted(METRICS)
