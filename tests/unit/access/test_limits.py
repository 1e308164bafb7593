"""Token buckets of senders: what they give over time, and what they refuse. The clock is a parameter."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.keys import Kind
from service.access.limits import BYTES_PER_EVENT, MOST_BUCKETS, Buckets, Limits
from service.access.rules import Access
from service.access.sites import Site
from service.errors import RateLimited
from service.settings import WRITE_KEY

VISITOR = "203.0.113.7"
SITE = Site(0, "default", "UTC", (), (0,), retired=False)
NO_KEY = Access(SITE)


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def with_key(prefix: str, kind: Kind = Kind.WRITE) -> Access:
    return Access(SITE, kind, prefix)


def waits(limits: Limits, address: str = VISITOR, access: Access = NO_KEY) -> int:
    """Return after how many seconds a sender may send, 0 for at once."""
    try:
        limits.allowance(address, access)
    except RateLimited as refused:
        return refused.seconds
    return 0


def test_a_sender_gets_a_minute_at_once_and_then_the_rate() -> None:
    clock = Clock()
    limits = Limits(60, 0, clock=clock)
    for _ in range(60):
        limits.allowance(VISITOR, NO_KEY).take(1, 100)
    limits.allowance(VISITOR, NO_KEY).take(1, 100)
    assert waits(limits) == 1
    clock.now += 1
    assert waits(limits) == 0
    limits.allowance(VISITOR, NO_KEY).take(30, 100)
    assert waits(limits) == 30
    clock.now += 3_600
    limits.allowance(VISITOR, NO_KEY).take(61, 100)
    assert waits(limits) == 1, "a bucket holds no more than a minute"


def test_the_refusal_says_whose_limit_it_is_and_when_to_send_again() -> None:
    limits = Limits(60, 60, clock=Clock())
    limits.allowance("::1", with_key("hlw_1")).take(90, 1)
    with pytest.raises(RateLimited, match=re.escape("this key: send the rest in 30 s (HOURLEDGER_EVENTS_PER_KEY")):
        limits.allowance("::1", with_key("hlw_1"))
    assert waits(limits, "::1", with_key("hlw_2")) == 0
    limits.allowance(VISITOR, NO_KEY).take(1, 61 * BYTES_PER_EVENT)
    with pytest.raises(RateLimited, match="too many bytes came from your address"):
        limits.allowance(VISITOR, NO_KEY)


def test_this_machine_has_no_limit_by_address_and_zero_is_none() -> None:
    limits = Limits(1, 0, clock=Clock())
    for address in ("127.0.0.1", "127.8.8.8", "::1"):
        limits.allowance(address, with_key("hlw_1")).take(1_000, 1)
        assert waits(limits, address, with_key("hlw_1")) == 0
    limits.allowance(VISITOR, NO_KEY).take(2, 1)
    assert waits(limits) == 60


def test_keys_that_pages_do_not_carry_have_no_limit() -> None:
    limits = Limits(1, 1, clock=Clock())
    for kind in (Kind.SERVER, Kind.ADMIN):
        limits.allowance(VISITOR, with_key("hls_1", kind)).take(1_000, 1)
        assert waits(limits, VISITOR, with_key("hls_1", kind)) == 0
    # The key of the settings is in pages, too, and was there before there were limits of keys.
    limits.allowance(VISITOR, with_key(WRITE_KEY, Kind.SERVER)).take(2, 1)
    assert waits(limits, VISITOR, with_key(WRITE_KEY, Kind.SERVER)) == 60
    assert waits(limits, "203.0.113.9", with_key(WRITE_KEY, Kind.SERVER)) == 0


def test_a_network_of_ipv6_is_one_sender_and_an_address_of_ipv4_is_one() -> None:
    limits = Limits(60, 0, clock=Clock())
    limits.allowance("2001:db8:0:1::5", NO_KEY).take(61, 1)
    assert waits(limits, "2001:db8:0:1:ffff::9") == 1
    assert waits(limits, "2001:db8:0:2::5") == 0
    limits.allowance(VISITOR, NO_KEY).take(61, 1)
    assert waits(limits, "203.0.113.8") == 0


def test_an_address_is_one_sender_however_it_is_written() -> None:
    limits = Limits(60, 0, clock=Clock())
    limits.allowance("::ffff:198.51.100.1", NO_KEY).take(61, 1)
    for same in ("198.51.100.1", "198.51.100.1:4711", "[::ffff:198.51.100.1]:80"):
        assert waits(limits, same) == 1
    assert waits(limits, "::ffff:198.51.100.2") == 0
    limits.allowance("::ffff:127.0.0.1", NO_KEY).take(61, 1)
    assert waits(limits, "::ffff:127.0.0.1") == 0
    limits.allowance("nonsense", NO_KEY).take(61, 1)
    assert waits(limits, "other nonsense") == 1


def test_workers_share_a_limit() -> None:
    limits = Limits(60, 0, workers=2, clock=Clock())
    limits.allowance(VISITOR, NO_KEY).take(31, 1)
    assert waits(limits) == 2


def test_only_so_many_senders_are_remembered_those_of_now() -> None:
    buckets = Buckets(1, Clock())
    for number in range(MOST_BUCKETS + 1):
        buckets.take(f"sender {number}", 2)
    assert len(buckets) == MOST_BUCKETS
    assert buckets.wait("sender 0") == 0
    assert buckets.wait("sender 1") == 60


@given(st.lists(st.tuples(st.floats(0, 90), st.integers(1, 200)), max_size=60))
def test_over_any_time_it_lets_through_no_more_than_its_rate_its_burst_and_one_request(
    sent: list[tuple[float, int]],
) -> None:
    clock = Clock()
    limits = Limits(100, 0, clock=clock)
    through = 0
    began = clock.now
    for pause, events in sent:
        clock.now += pause
        if waits(limits) == 0:
            limits.allowance(VISITOR, NO_KEY).take(events, 1)
            through += events
        assert through <= 100 + (clock.now - began) / 60 * 100 + 200
        # Who waits as long as it was told may send.
        clock.now += waits(limits)
        assert waits(limits) == 0
