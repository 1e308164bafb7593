"""The elements of a JSON array of any size, read in chunks: memory grows neither with the array nor with an element.

The array may stand in `{"events": [...]}`, and either of them in a JSON string, as localStorage is dumped. As in
service/ingest/json_elements.py only strings and brackets are understood; the decoder judges what an element holds.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from itertools import chain

from service.ingest.json_elements import BLANKS, Unclosed
from service.ingest.refusals import shown

_PEEKED = 1_000
_OPENING = re.compile(rb'(?P<envelope>\{[ \t\r\n]*"events"[ \t\r\n]*:[ \t\r\n]*)?\[')
# Every part of these may be empty, and none ever looks back: by an atomic group, since Python 3.11.2 now and then ends
# a possessive repeat of a group too early, and elements would be left out.
_TO_COMMA = re.compile(rb'(?>(?:[^",\[\]{}]+|"[^"]*")*)([\[{]*)([\]}]*)(,?)')
_TO_BRACKET = re.compile(rb'(?>(?:[^"\[\]{}]+|"[^"]*")*)([\[{]*)([\]}]*)(,?)')
# Up to the last character that is in no escape: a string may be cut there, which halves no pair of surrogates either.
_UNCUT = re.compile(r'.*[^"\\/a-fA-F0-9nrtu]', re.DOTALL)
_LONGEST_UNCUT = 8 * 1024 * 1024
_strings = json.JSONDecoder(strict=False)


def stream_array(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Give the elements of the array as they stand there, each cut after `most` bytes.

    Raises Unclosed, after the elements before, when it is no such array or not whole.
    """
    head = _peek(chunks)
    if head.startswith(b'"'):
        chunks = _unquoted(chain([head[1:]], chunks))
        head = _peek(chunks)
    opening = _OPENING.match(head)
    if not opening:
        raise Unclosed(f'expected an array of events or {{"events": [...]}}, got {_told(head)}')
    ending = b"}" if opening["envelope"] else b""
    yield from _Array(most, ending).split(chain([head[opening.end() :]], chunks))


def _peek(chunks: Iterator[bytes]) -> bytes:
    """Take chunks, blanks left out, until they tell what they begin with."""
    head = b""
    for chunk in chunks:
        head = (head + chunk).lstrip(BLANKS)
        if len(head) >= _PEEKED:
            break
    return head


def _told(text: bytes) -> str:
    return shown(text.decode(errors="backslashreplace")) or "nothing"


class _Array:
    """Finds the borders of an array's elements; its state is what must be known from one chunk to the next."""

    def __init__(self, most: int, ending: bytes) -> None:
        self._most = most
        self._ending = ending
        self._depth = 1
        self._in_string = False

    def split(self, chunks: Iterator[bytes]) -> Iterator[bytes]:
        """Give the elements; chunks: what follows the array's opening bracket."""
        kept = after = b""
        count = 0
        for text in _whole_escapes(chunks):
            start = 0
            for end in self._borders(_without_escapes(text)):
                element = (kept + text[start:end]).strip(BLANKS)[: self._most]
                kept, start = b"", end + 1
                # Nothing between brackets is no element; nothing after a comma is one that is not JSON.
                if element or count or self._depth:
                    count += 1
                    yield element
            if self._depth:
                kept = (kept + text[start:]).lstrip(BLANKS)
                # One byte of the rest tells that blanks before it are not the element's end.
                kept = kept[: self._most] + kept[self._most :].strip(BLANKS)[:1]
            else:
                after = (after + text[start:]).strip(BLANKS)[:_PEEKED]
        if self._depth:
            raise Unclosed(f"the array is not closed after element {count:,}")
        if after != self._ending:
            raise Unclosed(f"after the array: expected {_told(self._ending)}, got {_told(after)}")

    def _borders(self, scanned: bytes) -> Iterator[int]:
        """Give the places of the commas between elements, and of the bracket that closes the array: depth is then 0."""
        position = scanned.find(b'"') + 1 if self._in_string else 0
        if not self._depth or (self._in_string and not position):
            return
        while (found := (_TO_COMMA if self._depth == 1 else _TO_BRACKET).match(scanned, position)) and found[0]:
            position = found.end()
            self._depth += len(found[1])
            if self._depth <= len(found[2]):
                place = found.start(2) + self._depth - 1
                self._depth = 0
                yield place
                return
            self._depth -= len(found[2])
            if self._depth == 1 and found[3]:
                yield position - 1
        self._in_string = position < len(scanned)


def _without_escapes(text: bytes) -> bytes:
    """Return `text`, no byte moved, in which every quote begins or ends a string."""
    return text.replace(rb"\\", b"__").replace(rb"\"", b"__")


def _whole_escapes(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give the chunks again, none of which ends between a backslash and what it escapes."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        end = len(text) - (len(text) - len(text.rstrip(b"\\"))) % 2
        rest = text[end:]
        yield text[:end]
    yield rest


def _unquoted(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give what a JSON string holds; chunks: what follows its opening quote. Raises Unclosed."""
    decoder = getincrementaldecoder("utf-8")("surrogateescape")
    rest = ""
    for chunk in chunks:
        rest += decoder.decode(chunk)
        if cut := _UNCUT.match(rest):
            # The quote that is added closes it, unless its own did before.
            text, end = _string(f'{cut[0]}"')
            yield text
            rest = rest[min(end, cut.end()) :]
            if end <= cut.end():
                _refuse_rest(rest, chunks)
                return
        elif len(rest) > _LONGEST_UNCUT:
            raise Unclosed(f"{_LONGEST_UNCUT:,} characters of the string have nothing in them that JSON has")
    text, end = _string(rest)
    yield text
    _refuse_rest(rest[end:], chunks)


def _string(text: str) -> tuple[bytes, int]:
    """Return what stands in `text` before its first quote that is not escaped, and the place after that quote."""
    try:
        value, end = _strings.raw_decode(f'"{text}')
    except ValueError:
        raise Unclosed("the string that holds the array is not closed, or no JSON") from None
    # A lone surrogate becomes bytes that are not UTF-8: its element is refused, not its neighbours.
    return value.encode(errors="surrogatepass"), end - 1


def _refuse_rest(rest: str, chunks: Iterator[bytes]) -> None:
    after = _peek(chain([rest.encode(errors="surrogateescape")], chunks))
    if after:
        raise Unclosed(f"after the string that holds the array: expected nothing, got {_told(after)}")
