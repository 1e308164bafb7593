"""Splits a JSON array or object into its elements without decoding them, so that one bad element costs only itself.

It makes one pass over the bytes, without recursion, and understands only strings and brackets. The decoder of an
element checks later whether the element is JSON and whether its brackets match.
"""

import re
from collections.abc import Iterator

BLANKS = b" \t\r\n"
# A call into C holds Python's lock, so texts are scanned in parts of this size.
PART_BYTES = 65_536
# The bound of 1,000 keeps the matcher's memory small. The groups are atomic, not possessive, because Python 3.11.2
# sometimes ends a possessive repeat of a group too early.
_TO_COMMA = re.compile(rb'(?>(?:[^",\[\]{}]+|"[^"]*"){0,1000})([\[{]*)([\]}]*)(,?)')
_TO_BRACKET = re.compile(rb'(?>(?:[^"\[\]{}]+|"[^"]*"){0,1000})([\[{]*)([\]}]*)(,?)')
_STRING = re.compile(rb'"[^"]*"')
_KEY = re.compile(rb'"[^"]*"(?=[ \t\r\n]*(:))')


class Unclosed(ValueError):
    """The text is not an array or object, or something follows its closing bracket."""


class Borders:
    """Finds the ends of the elements of an array or object whose text comes in parts."""

    def __init__(self) -> None:
        self._depth = 1
        self._in_string = False

    @property
    def closed(self) -> bool:
        """Whether the closing bracket of the array or object was found. `within` gives no places after it."""
        return not self._depth

    def within(self, part: bytes, start: int = 0) -> Iterator[int]:
        """Give the places of the commas between elements, then of the closing bracket, when `closed` becomes true.

        part: the next text, at first what follows the opening bracket. It must not end between a backslash and the
        character that this escapes. start: the place in the part to begin at.
        """
        scanned = _without_escapes(part)
        if self._in_string:
            start = scanned.find(b'"', start) + 1
            self._in_string = not start
        if self._in_string or self.closed:
            return
        while (found := (_TO_COMMA if self._depth == 1 else _TO_BRACKET).match(scanned, start)) and found[0]:
            start = found.end()
            self._depth += len(found[1])
            if self._depth <= len(found[2]):
                place = found.start(2) + self._depth - 1
                self._depth = 0
                yield place
                return
            self._depth -= len(found[2])
            if self._depth == 1 and found[3]:
                yield start - 1
        self._in_string = start < len(scanned)


def split_array(text: bytes) -> Iterator[bytes]:
    """Give the text of each element of a JSON array. Raises Unclosed, after the elements before the fault."""
    return _split(text.strip(BLANKS), b"[]")


def split_object(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give each key of a JSON object, with its quotes, and the text of its value.

    Raises Unclosed, after the members before the fault.
    """
    for member in _split(text.strip(BLANKS), b"{}"):
        if not (key := _KEY.match(_without_escapes(member[:PART_BYTES]))):
            raise Unclosed(f"a member of the object has no name, or one of more than {PART_BYTES} bytes")
        yield member[: key.end()], member[key.end(1) :].strip(BLANKS)


def without_strings(text: bytes) -> bytes:
    """Return JSON with every string emptied, so that brackets and digits in strings do not count."""
    return _STRING.sub(b'""', _without_escapes(text))


def _without_escapes(text: bytes) -> bytes:
    """Return the text with escapes overwritten, so that every quote begins or ends a string. Places stay the same."""
    return text.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _split(text: bytes, brackets: bytes) -> Iterator[bytes]:
    if text[:1] != brackets[:1]:
        raise Unclosed(f"it does not begin with {brackets[:1].decode()}")
    borders = Borders()
    start = first = 1
    for place, part in _parts(text, first):
        for border in borders.within(part):
            end = place + border
            if borders.closed and text[end:] != brackets[1:]:
                raise Unclosed(f"it does not end with the {brackets[1:].decode()} that closes it")
            element = text[start:end].strip(BLANKS)
            # `[]` has no element. After a comma, an empty element counts; its decoder refuses it.
            if element or start > first or not borders.closed:
                yield element
            start = end + 1
        if borders.closed:
            return
    raise Unclosed("it is not closed")


def _parts(text: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    """Give the text from `start` on in parts, each with its place, that never end within an escape."""
    while start < len(text):
        part = text[start : start + PART_BYTES]
        if start + len(part) < len(text):
            # An odd number of backslashes at the end begins an escape.
            part = part[: len(part) - (len(part) - len(part.rstrip(b"\\"))) % 2]
        yield start, part
        start += len(part)
