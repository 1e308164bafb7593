"""Splits a JSON array or object into its elements without decoding them, so that one bad element costs only itself.

One pass over the bytes, without recursion. It understands only strings and brackets. The decoder of an element judges
whether the element is JSON and whether its brackets match.
"""

import re
from collections.abc import Iterator

BLANKS = b" \t\r\n"
# Every part of these may be empty, so they never look back. The bound keeps what re remembers small.
_TO_COMMA = re.compile(rb'(?:[^",\[\]{}]+|"[^"]*"){0,1000}([\[{]*)([\]}]*)(,?)')
_TO_BRACKET = re.compile(rb'(?:[^"\[\]{}]+|"[^"]*"){0,1000}([\[{]*)([\]}]*)(,?)')
_STRING = re.compile(rb'"[^"]*"')
_KEY = re.compile(rb'"[^"]*"(?=[ \t\r\n]*(:))')


class Unclosed(ValueError):
    """No array or object, or it does not end where the text does."""


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
    """Return JSON with every string emptied, so that brackets and digits are what they seem to be."""
    return _STRING.sub(b'""', _without_escapes(text))


def _without_escapes(text: bytes) -> bytes:
    """Return `text`, no byte moved, in which every quote begins or ends a string."""
    return text.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _split(text: bytes, brackets: bytes) -> Iterator[bytes]:
    if text[:1] != brackets[:1]:
        raise Unclosed(f"it does not begin with {brackets[:1].decode()}")
    scanned = _without_escapes(text)
    start = position = depth = 1
    while (found := (_TO_COMMA if depth == 1 else _TO_BRACKET).match(scanned, position)) and found[0]:
        position = found.end()
        depth += len(found[1])
        if depth <= len(found[2]):
            yield from _last(text, start, found.start(2) + depth - 1, brackets)
            return
        depth -= len(found[2])
        if depth == 1 and found[3]:
            yield text[start : position - 1].strip(BLANKS)
            start = position
    raise Unclosed("it is not closed")


def _last(text: bytes, start: int, end: int, brackets: bytes) -> Iterator[bytes]:
    if text[end:] != brackets[1:]:
        raise Unclosed(f"it does not end with the {brackets[1:].decode()} that closes it")
    last = text[start:end].strip(BLANKS)
    # Nothing between brackets is no element; nothing after a comma is one that is not JSON.
    if last or start > 1:
        yield last
