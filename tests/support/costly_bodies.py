"""Bodies that are made to cost as much time a byte as possible: hostile JSON of every kind, plain and gzipped."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from service.ingest.event import MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_PROPERTIES_BYTES

LINES = b"application/x-ndjson"
# What JSON and our own grammar give a meaning to; fragments are made of these.
ALPHABET = (
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"0", b"1", b"9", b"e", b"E", b"-", b"+", b"."),
    *(b'\\"', b"\\\\", b"\\u0000", b"\\ud800", b"\\u0041", b'""', b"{}", b"[]", b'"a":', b'{"a":', b"null", b"true"),
    *(b"1e0001", b"1e-307", b"0e000", b"0.0000000000", b"x", b"\xff", b"\xc3\xa9", b"\x00", b"\t", b"\xef\xbb\xbf"),
    *(b'"events":', b'"properties":', b'"timestamp":', b'"session_id":"s",', b'"event_type":"t",', b'"id":""'),
)
# What known attacks repeat.
KNOWN = (
    *(b'{"a":', b"[", b"[],", b"{},", b"1e0001,", b"1e300,", b'"\\\\",', b'\\"', b"\\u0041", b"\\\\u0000", b",", b'"'),
    *(b'"a":1,', b'"events":[],', b"{}\n", b" ", b"\n", b'"k":{"a":1},', b"0." + b"0" * 58 + b",", b"9" * 63 + b","),
    *(b'"\\ud800",', b'"session_id":"s",', b'{"event_type":"t","session_id":"s","timestamp":"x"},'),
)


@dataclass(frozen=True, slots=True)
class CostlyBody:
    """A body as it is sent, and how: to which path, of which content type, in which encoding."""

    name: str
    sent: bytes
    batch: bool
    lines: bool
    gzipped: bool

    @property
    def headers(self) -> dict[bytes, bytes]:
        """Return the headers, as the track routes take them."""
        kind = {b"content-type": LINES} if self.lines else {}
        return kind | ({b"content-encoding": b"gzip"} if self.gzipped else {})


def costly_bodies(seed: int, number: int) -> Iterator[CostlyBody]:
    """Give bodies: each repeats a fragment, alone or in the properties of an event, at a size up to the limit."""
    chance = random.Random(seed)
    for place in range(number):
        batch = chance.random() < 0.7
        fragment = chance.choice(KNOWN) if chance.random() < 0.5 else _fragment(chance)
        most = MAX_BATCH_BYTES if batch else MAX_EVENT_BYTES
        # Most are small, so that many can be tried; one in 200 is as large as it may be.
        size = most if chance.random() < 0.005 else int(most ** chance.uniform(0.3, 0.75))
        shape = chance.choice(SHAPES)
        body = SHAPES_OF[shape](chance, fragment, size)[:most]
        gzipped = chance.random() < 0.3
        name = f"{place}: {shape} of {len(body)} bytes, of {fragment!r}"
        sent = gzip.compress(body, 1) if gzipped else body
        yield CostlyBody(name, sent, batch, batch and chance.random() < 0.3, gzipped)


def refused_bodies() -> list[bytes]:
    """Return gzip bodies of 8 MB that hold no event that could be stored."""
    return [gzip.compress(b"[" + part * (MAX_BATCH_BYTES // len(part) - 1) + b"]", 1) for part in KNOWN]


def _batch(events: Iterator[bytes]) -> bytes:
    return b"[" + b",".join(events) + b"]"


def _fragment(chance: random.Random) -> bytes:
    return b"".join(chance.choices(ALPHABET, k=chance.randint(1, 8)))


def _alone(chance: random.Random, fragment: bytes, size: int) -> bytes:
    start, end = chance.choice(((b"", b""), (b"[", b"]"), (b"{", b"}"), (b'["', b'"]'), (b'{"events":[', b"]}")))
    return start + fragment * (size // len(fragment)) + end


def _event(properties: bytes, session: bytes = b"", more: bytes = b"") -> bytes:
    now = json.dumps(datetime.now(UTC).isoformat()).encode()
    return b'{"event_type":"t","session_id":"s%b","timestamp":%b,"properties":%b%b}' % (session, now, properties, more)


def _in_properties(chance: random.Random, fragment: bytes, size: int) -> bytes:
    start, end = chance.choice(((b'{"a":[', b"1]}"), (b'{"a":"', b'"}'), (b"{", b'"z":1}'), (b"", b"")))
    repeats = max(1, min(size, MAX_PROPERTIES_BYTES - 20) // len(fragment))
    event = _event(start + fragment * repeats + end)
    return b"[" + b",".join([event] * max(1, size // len(event))) + b"]"


def _in_events(chance: random.Random, fragment: bytes, size: int) -> bytes:
    event = _event(b"{}", more=b"," + fragment * chance.randint(1, 60))
    return b"[" + b",".join([event] * max(1, size // len(event))) + b"]"


def _as_lines(chance: random.Random, fragment: bytes, size: int) -> bytes:
    line = chance.choice((fragment, _event(fragment), _event(b'{"a":[' + fragment * 200 + b"1]}"))) + b"\n"
    return line * max(1, size // len(line))


def _one_event(chance: random.Random, fragment: bytes, size: int) -> bytes:
    start, end = chance.choice(((b'{"a":[', b"1]}"), (b'{"a":"', b'"}'), (b"{", b'"z":1}')))
    repeats = min(size, chance.choice((MAX_PROPERTIES_BYTES, MAX_EVENT_BYTES)) - 200) // len(fragment)
    return _event(start + fragment * repeats + end)


SHAPES_OF = {
    "alone": _alone,
    "in properties": _in_properties,
    "in events": _in_events,
    "as lines": _as_lines,
    "one event": _one_event,
}
SHAPES = tuple(SHAPES_OF)


def _numbers() -> bytes:
    numbers = b'{"a":[' + b"1e300," * 50 + b"12345," * 2_600 + b"1]}"
    return _batch(_event(numbers) for _ in range(500))


def _objects() -> bytes:
    objects = b'{"a":[' + b'{"b":1},' * 2_000 + b"1]}"
    return _batch(_event(objects) for _ in range(500))


# Batches as large as they may be, of events that are all stored.
LARGE_BATCHES: dict[str, Callable[[], bytes]] = {
    "10,000 sessions": lambda: _batch(_event(b'{"place":%d}' % place, b"-%d" % place) for place in range(10_000)),
    "numbers": _numbers,
    "objects": _objects,
    "one long text each": lambda: _batch(_event(b'{"a":"%b"}' % (b"\\u00e9" * 2_700)) for _ in range(500)),
}
