"""Why events are refused for lack of room, each reason by itself."""

from __future__ import annotations

import pytest

from service.access.keys import Kind
from service.access.limits import Limits
from service.access.rules import Access
from service.errors import QueueFull, RateLimited
from service.http.overload import REASONS, Overload
from service.ingest.admission import MOST_BATCH_BYTES_WAITING, MOST_EVENTS, MOST_SINGLE_BYTES, Admission
from tests.support.access import DEFAULT

PAGE = Access(DEFAULT, Kind.WRITE, "hlw_4fQ0aZ9k")


def test_each_reason_is_told() -> None:
    admission, limits = Admission(), Limits(0, 10)
    overload = Overload(admission, limits)
    admission.available = True
    assert overload.reasons() == frozenset()
    with pytest.raises(QueueFull):
        admission.check_room(MOST_EVENTS + 1)
    assert overload.reasons() == {"queue"}
    with pytest.raises(QueueFull):
        admission.singles.hold(MOST_SINGLE_BYTES + 1)
    with pytest.raises(QueueFull):
        admission.batches.hold(MOST_BATCH_BYTES_WAITING + 1)
    assert overload.reasons() == {"queue", "events", "batches"}
    admission.disk_full = True
    limits.allowance("192.0.2.1", PAGE).take(20, 0)
    assert overload.reasons() == {"queue", "events", "batches", "disk"}
    with pytest.raises(RateLimited):
        limits.allowance("192.0.2.1", PAGE)
    assert overload.reasons() == set(REASONS)


def test_one_address_that_sends_too_much_is_no_overload() -> None:
    limits = Limits(10, 0)
    limits.allowance("192.0.2.1", PAGE).take(20, 0)
    with pytest.raises(RateLimited):
        limits.allowance("192.0.2.1", PAGE)
    assert Overload(Admission(), limits).reasons() == frozenset()
