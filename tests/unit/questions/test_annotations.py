"""The day of an annotation is that of the site's clock."""

from __future__ import annotations

from datetime import datetime

import pytest

from service.questions.annotations import day_of


@pytest.mark.parametrize(
    ("moment", "time_zone", "day"),
    [
        ("2026-12-01T00:00Z", "UTC", "2026-12-01"),
        ("2026-11-30T23:00Z", "Europe/Zurich", "2026-12-01"),
        ("2026-12-01T00:00Z", "Europe/Zurich", None),
        ("2026-11-30T18:15Z", "Asia/Kathmandu", "2026-12-01"),
        # The clock goes from midnight to one.
        ("2026-04-23T22:00Z", "Africa/Cairo", "2026-04-24"),
        # It goes back to midnight's hour: the day begins with the first of the two.
        ("2026-11-01T04:00Z", "America/Havana", "2026-11-01"),
        ("2026-11-01T05:00Z", "America/Havana", None),
    ],
)
def test_a_time_is_a_day_where_it_is_that_days_start(moment: str, time_zone: str, day: str | None) -> None:
    assert day_of(datetime.fromisoformat(moment), time_zone) == day
