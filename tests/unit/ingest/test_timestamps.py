"""Timestamps: the same texts are valid on every version of Python."""

import time

import pytest

from service.ingest.timestamps import parse_time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2025-10-18T01:02:03.004Z", "2025-10-18T01:02:03.004000+00:00"),
        ("2025-10-18t01:02:03z", "2025-10-18T01:02:03+00:00"),
        ("2025-10-18 01:02:03", "2025-10-18T01:02:03+00:00"),
        ("2025-10-18T01:02:03.1234569999-02:30", "2025-10-18T03:32:03.123456+00:00"),
        ("2025-10-18T01:02:03,5+0230", "2025-10-17T22:32:03.500000+00:00"),
        ("20251018T010203.25+01", "2025-10-18T00:02:03.250000+00:00"),
        ("2025-10-18T01:02", "2025-10-18T01:02:00+00:00"),
        ("2025-10-18T01Z", "2025-10-18T01:00:00+00:00"),
        ("2025-10-18", "2025-10-18T00:00:00+00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999+00:00"),
        ("2024-02-29T00:00:00-00:00", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_a_timestamp_is_utc_to_the_microsecond(text: str, moment: str) -> None:
    assert parse_time(text).isoformat() == moment


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "1760749200", "2025-10-18X01:00:00Z", "2025-10-18T24:00:00Z", "2025-10-18T01:60:00Z"),
        *("2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z", "2025-10-18T01:00:00+05:60", "2025-10-18T01:00:00+24:00"),
        *("2025-10-18T01.5Z", "2025-W42-6T01:00:00Z", "2025-10-18T01:0000Z", " 2025-10-18T01:00:00Z", "2025-10-18Z"),
        *(
            "2025-10-18T01:00:00Z\n",
            "\uff12025-10-18T01:00:00Z",
            "2025-10-18T01:00:00.Z",
            "0000-01-01T00:00:00Z",
            "T01:00",
        ),
        *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "2025-10-18T01:00:00 Z", "2025-10-18T", "\0"),
        *("2025-10-18T01:00:00+01:00:30", "2025-10-18T01:00:00Z+01:00", "12025-10-18T01:00:00Z"),
    ],
)
def test_what_is_no_timestamp_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_time(text)


def test_the_machines_time_zone_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("TZ", "Asia/Kathmandu")
        time.tzset()
        assert parse_time("2025-10-18T01:00:00").isoformat() == "2025-10-18T01:00:00+00:00"
    time.tzset()


def test_a_leap_second_is_refused_by_its_name() -> None:
    for text in ("2016-12-31T23:59:60Z", "2016-12-31T23:59:60.5+00:00", "20161231T235960Z"):
        with pytest.raises(ValueError, match="leap second"):
            parse_time(text)
