"""Timestamps compared with Python's datetime."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from service.ingest.timestamps import parse_time
from tests.support.sent_events import examples

offsets = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(
    min_value=datetime(1, 1, 3),  # noqa: DTZ001
    max_value=datetime(9999, 12, 29),  # noqa: DTZ001
    timezones=offsets | st.just(UTC),
)
pieces = st.sampled_from(
    ["2025-10-18", "20251018", "T", "t", " ", "01", "23", "60", ":", ".", ",", "5", "Z", "z", "+", "-"]
)


@given(moments)
@examples(200)
def test_a_time_is_the_moment_that_was_written(moment: datetime) -> None:
    extended = moment.isoformat(timespec="microseconds")
    basic = extended[:19].replace("-", "").replace(":", "") + extended[19:26] + extended[26:].replace(":", "")
    for text in (extended, extended.replace("T", " "), extended.replace("T", "t").replace("+00:00", "z"), basic):
        assert parse_time(text) == moment
        assert parse_time(text).tzinfo is UTC
    assert parse_time(f"{extended[:26]}999{extended[26:]}") == moment
    assert parse_time(extended[:26]) == moment.replace(tzinfo=UTC)


@given(st.lists(pieces, max_size=12).map("".join))
@examples(500)
def test_what_is_taken_for_a_time_python_takes_for_the_same(text: str) -> None:
    try:
        moment = parse_time(text)
    except ValueError:
        return
    known = datetime.fromisoformat(text.upper())
    assert moment == (known if known.tzinfo else known.replace(tzinfo=UTC))
    assert moment.tzinfo is UTC
