"""Decodes batches: an array of events, `{"events": [...]}`, or NDJSON. A bad event never costs its neighbours.

It works in runs of bounded size. A call into C holds Python's lock until it returns, so none may see a whole batch:
decoding beside the event loop would stall it as much as on it.
"""

import re
from collections.abc import Iterator
from itertools import islice

from service.errors import TooLarge
from service.ingest.decoding import BOM, Repeated, decode_element, decode_elements, refuse_size
from service.ingest.event import MAX_BATCH_BYTES, MAX_BATCH_EVENTS, MAX_EVENT_BYTES, Event
from service.ingest.json_elements import BLANKS, Unclosed, split_array, split_object
from service.ingest.refusals import EXPECTED, REFUSALS, EventError, key_name, repeated, unknown_field

# The bytes that are decoded at once, if no event is larger.
RUN_BYTES = 262_144
# What a batch begins with, up to the name of the first field of its first event, and what ends it.
_OPENING = re.compile(
    rb'(\{[ \t\r\n]{0,9}"events"[ \t\r\n]{0,9}:[ \t\r\n]{0,9})?\[(?=[ \t\r\n]{0,99}(?:\{[ \t\r\n]{0,99}"(\w{1,20})")?)'
)
_END = re.compile(rb"\]\Z")
_ENCLOSED_END = re.compile(rb"\][ \t\r\n]{0,9}\}\Z")
# The border between two events, by the name of the field that events begin with.
_BORDERS = {
    name.encode(): re.compile(rb'\}[ \t\r\n]{0,9}(,)[ \t\r\n]{0,99}\{[ \t\r\n]{0,99}"%b"' % name.encode())
    for name in EXPECTED
}
_NOWHERE = re.compile(rb"(?!)")
_LINE = re.compile(rb"[^ \t\r\n][^\n]*")


Decoded = list[Event | EventError]


class _Undivided(ValueError):
    """The text cannot be divided into runs; it may still be a batch."""


def decode_batch(body: bytes) -> Decoded:
    """Return, for each element of a JSON array or of `{"events": [...]}`, its event or its error.

    Raises TooLarge, and EventError when the body is neither.
    """
    refuse_size(body, MAX_BATCH_BYTES)
    batch = body.removeprefix(BOM).strip(BLANKS)
    items: Decoded = []
    try:
        for run in _runs(batch):
            items += decode_elements(run)
            _refuse_count(items)
    except (*REFUSALS, _Undivided, Repeated):
        # One bad element fails the decoding of its run, so decode each alone. It may not even be JSON.
        return _each_alone(_split_batch(batch))
    return items


def decode_lines(body: bytes) -> Decoded:
    """Return, for each line of NDJSON, its event or its error. Blank lines do not count. Raises TooLarge."""
    refuse_size(body, MAX_BATCH_BYTES)
    return _each_alone(line[0].rstrip(BLANKS) for line in _LINE.finditer(body.removeprefix(BOM)))


def _runs(batch: bytes) -> Iterator[bytes]:
    """Give the elements in arrays of at most RUN_BYTES. Raises _Undivided when a run does not end at a border.

    What looks like a border may lie within a string or in properties. Then the run before it is not JSON, and does not
    decode. So when all runs decode, all borders were borders.
    """
    opening = _OPENING.match(batch)
    if opening is None:
        raise _Undivided
    closing = (_ENCLOSED_END if opening[1] else _END).search(batch, max(opening.end(), len(batch) - 11))
    if closing is None:
        raise _Undivided
    start, end = opening.end(), closing.start()
    while end - start > RUN_BYTES:
        border = _BORDERS.get(opening[2], _NOWHERE).search(batch, start + RUN_BYTES // 2, start + RUN_BYTES)
        if border is None:
            raise _Undivided
        yield b"[" + batch[start : border.start(1)] + b"]"
        start = border.end(1)
    yield b"[" + batch[start:end] + b"]"


def _split_batch(batch: bytes) -> Iterator[bytes]:
    """Give the text of each element. Raises EventError when the body is no batch."""
    try:
        yield from split_array(_enclosed(batch) if batch.startswith(b"{") else batch)
    except Unclosed as error:
        raise EventError("malformed", f'expected an array of events or {{"events": [...]}}: {error}') from None


def _enclosed(batch: bytes) -> bytes:
    array = None
    for key, value in split_object(batch):
        if (name := key_name(key)) != "events":
            raise unknown_field(name)
        if array is not None:
            raise repeated(name)
        array = value
    if array is None:
        raise EventError("missing_field", "events is missing: expected an array of events", "events")
    return array


def _each_alone(elements: Iterator[bytes]) -> Decoded:
    items: Decoded = []
    for element in islice(elements, MAX_BATCH_EVENTS + 1):
        items.append(_judged(element))
    _refuse_count(items)
    return items


def _judged(element: bytes) -> Event | EventError:
    try:
        if len(element) > MAX_EVENT_BYTES:
            message = f"the event has {len(element)} bytes, but may have at most {MAX_EVENT_BYTES}"
            return EventError("too_large", message)
        return decode_element(element)
    except EventError as error:
        return error.alone()


def _refuse_count(items: Decoded) -> None:
    if len(items) > MAX_BATCH_EVENTS:
        raise TooLarge(f"the batch has more than {MAX_BATCH_EVENTS} events")
