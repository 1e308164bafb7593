"""Splits a JSON array or object into its elements without decoding them, so that one bad element costs only itself.

One pass over the bytes, without recursion. It understands only strings and brackets. The decoder of an element judges
whether the element is JSON and whether its brackets match.
"""

import re
from collections.abc import Iterator

BLANKS = b" \t\r\n"
# Every part may be empty and none looks back. The bound keeps the matcher's memory small. The groups are atomic instead
# of possessive because Python 3.11.2 ends a possessive repeat of a group too early now and then.
_TO_COMMA = re.compile(rb'(?>(?:[^",\[\]{}]+|"[^"]*"){0,1000})([\[{]*)([\]}]*)(,?)')
_TO_BRACKET = re.compile(rb'(?>(?:[^"\[\]{}]+|"[^"]*"){0,1000})([\[{]*)([\]}]*)(,?)')
_STRING = re.compile(rb'"[^"]*"')
_KEY = re.compile(rb'"[^"]*"(?=[ \t\r\n]*(:))')


class Unclosed(ValueError):
    """The text is no array or object, or does not end where that ends."""


class Borders:
    """Finds where the elements of an array or object end, in a text that comes in parts."""

    def __init__(self) -> None:
        self._depth = 1
        self._in_string = False

    @property
    def closed(self) -> bool:
        """Whether the bracket that closes the array or object was found; nothing is found after it."""
        return not self._depth

    def within(self, part: bytes, start: int = 0) -> Iterator[int]:
        """Give the places of the commas between elements, and of the closing bracket: `closed` is true by then.

        part: the text that follows the last part, or the opening bracket at first. It must not end between a backslash
        and the character that this escapes. start: the place to begin at.
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
    """Give the elements of a JSON array, each as it stands there. Raises Unclosed, after the elements before."""
    return _split(text.strip(BLANKS), b"[]")


def split_object(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give each key of a JSON object, in its quotes, and its value. Raises Unclosed, after the members before."""
    for member in _split(text.strip(BLANKS), b"{}"):
        if not (key := _KEY.match(_without_escapes(member))):
            raise Unclosed("a member of the object has no name")
        yield member[: key.end()], member[key.end(1) :].strip(BLANKS)


def without_strings(text: bytes) -> bytes:
    """Return JSON with every string emptied, so that its brackets and digits are no text."""
    return _STRING.sub(b'""', _without_escapes(text))


def _without_escapes(text: bytes) -> bytes:
    """Return `text`, no byte moved, in which every quote begins or ends a string."""
    return text.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _split(text: bytes, brackets: bytes) -> Iterator[bytes]:
    if text[:1] != brackets[:1]:
        raise Unclosed(f"it does not begin with {brackets[:1].decode()}")
    borders = Borders()
    start = 1
    for end in borders.within(text, start):
        if borders.closed and text[end:] != brackets[1:]:
            raise Unclosed(f"it does not end with the {brackets[1:].decode()} that closes it")
        element = text[start:end].strip(BLANKS)
        # Nothing between brackets is no element; nothing after a comma is one that is not JSON.
        if element or start > 1 or not borders.closed:
            yield element
        start = end + 1
    if not borders.closed:
        raise Unclosed("it is not closed")
