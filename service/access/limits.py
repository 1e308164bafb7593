"""Limits what one sender may send: token buckets by address and by key, of events and of bytes (R14).

A request is refused while one of its buckets is in debt. What it sent is taken afterwards, when it is known. So a
bucket gives no more than its rate over time, and at once no more than a minute of it and the requests under way.
"""

from __future__ import annotations

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from service.access.addresses import Address, address_of
from service.access.keys import Kind
from service.access.rules import Access
from service.errors import RateLimited

MINUTE = 60.0
# The limit of bytes is that of events times this. Events of websites have 200 to 500 bytes.
BYTES_PER_EVENT = 4_096
# Buckets of one kind. The one that was used the longest ago is forgotten first, because it is the fullest.
MOST_BUCKETS = 50_000
# Keys that were wrong, a minute, from one address.
WRONG_KEYS = 20
# A debt that is smaller comes from rounding.
ROUNDING = 1e-6


@dataclass(slots=True)
class _Bucket:
    """tokens: how much may be taken, negative when more was. at: when that was so, by the clock."""

    tokens: float
    at: float


class Buckets:
    """Token buckets by name. Each holds `most` at first, and gets that much a minute until it is full again."""

    def __init__(self, most: float, clock: Callable[[], float] = monotonic) -> None:
        self._most = most
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Return how many buckets are remembered."""
        return len(self._buckets)

    def wait(self, name: str) -> float:
        """Return after how many seconds the bucket is out of debt, 0 when it is now."""
        if (bucket := self._buckets.get(name)) is None or (tokens := self._now(bucket)) > -ROUNDING:
            return 0.0
        return -tokens / self._most * MINUTE

    def take(self, name: str, amount: float) -> None:
        """Take tokens, also more than there are."""
        now = self._clock()
        bucket = self._buckets.get(name)
        tokens = self._most if bucket is None else self._now(bucket)
        self._buckets[name] = _Bucket(tokens - amount, now)
        self._buckets.move_to_end(name)
        if len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)

    def _now(self, bucket: _Bucket) -> float:
        return min(self._most, bucket.tokens + (self._clock() - bucket.at) / MINUTE * self._most)


class Limit:
    """The buckets of one kind of sender.

    events: a minute, of one sender. variable: where that is set. whose: of the sender, for messages.
    """

    def __init__(self, events: float, variable: str, whose: str, clock: Callable[[], float] = monotonic) -> None:
        self._events = Buckets(events, clock)
        self._bytes = Buckets(events * BYTES_PER_EVENT, clock)
        self._variable = variable
        self._whose = whose
        self._clock = clock
        self._refused_at: float | None = None

    @property
    def used_up(self) -> bool:
        """Whether a sender was refused within the last minute."""
        return self._refused_at is not None and self._clock() - self._refused_at < MINUTE

    def check(self, name: str) -> None:
        """Raise RateLimited while the sender has sent more than it may."""
        for buckets, what in ((self._events, "events"), (self._bytes, "bytes")):
            if seconds := buckets.wait(name):
                self._refused_at = self._clock()
                seconds = math.ceil(seconds)
                raise RateLimited(
                    f"too many {what} came from {self._whose}: send the rest in {seconds} s"
                    f" ({self._variable} is the limit)",
                    seconds,
                )

    def take(self, name: str, events: int, size: int) -> None:
        """Take what a request sent. size: bytes of its body, as it came."""
        self._events.take(name, events)
        self._bytes.take(name, size)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one sender may still send. limits: those that hold for it, and its name in each."""

    limits: tuple[tuple[Limit, str], ...]

    def take(self, events: int, size: int) -> None:
        """Take what a request sent. events: in its body. size: bytes of the body, as it came."""
        for limit, name in self.limits:
            limit.take(name, events, size)


class Limits:
    """The limits of one worker. Each of several workers allows its share, because they do not know of each other.

    of_address, of_key: events a minute from one address, and with one write key, over all workers; 0 for no limit.
    """

    def __init__(self, of_address: int, of_key: int, workers: int = 1, clock: Callable[[], float] = monotonic) -> None:
        self._address = _limit(of_address / workers, "HOURLEDGER_EVENTS_PER_ADDRESS", "your address", clock)
        self._key = _limit(of_key / workers, "HOURLEDGER_EVENTS_PER_KEY", "this key", clock)

    @property
    def key_used_up(self) -> bool:
        """Whether a key was refused within the last minute, because all its pages together sent too much."""
        return self._key is not None and self._key.used_up

    def allowance(self, address: str, access: Access) -> Allowance:
        """Return what a sender may still send. Raises RateLimited when it has sent too much.

        address: of the sender; those of this machine have no limit, because one may stand for a whole proxy. Nor has a
        sender with a key that is not public.
        """
        limits: list[tuple[Limit, str]] = []
        if access.is_public and self._address is not None:
            known = address_of(address)
            if known is None or not known.is_loopback:
                limits.append((self._address, _sender(address)))
        if access.kind is Kind.WRITE and self._key is not None and access.key is not None:
            limits.append((self._key, access.key))
        for limit, name in limits:
            limit.check(name)
        return Allowance(tuple(limits))


class Attempts:
    """Limits how often one address may give a wrong key to sign in, over all workers."""

    def __init__(self, workers: int = 1, clock: Callable[[], float] = monotonic) -> None:
        self._wrong = Buckets(max(1.0, WRONG_KEYS / workers), clock)

    def check(self, address: str) -> None:
        """Raise RateLimited while the address has given too many wrong keys."""
        if seconds := self._wrong.wait(_sender(address)):
            seconds = math.ceil(seconds)
            raise RateLimited(f"too many wrong keys came from your address: try again in {seconds} s", seconds)

    def wrong(self, address: str) -> None:
        """Note that an address gave a wrong key."""
        self._wrong.take(_sender(address), 1)


def _limit(events: float, variable: str, whose: str, clock: Callable[[], float]) -> Limit | None:
    return Limit(events, variable, whose, clock) if events else None


def _sender(address: str) -> str:
    """Return whose an address is; what is no address is one sender, so that making it up gives one bucket for all."""
    known = address_of(address)
    return "" if known is None else _network(known)


def _network(address: Address) -> str:
    """Return whose an address is: one household has a network of 2^64 addresses of IPv6."""
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
