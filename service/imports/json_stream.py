"""The elements of a JSON array of any size, read in chunks. Memory grows neither with the array nor with an element.

The array may stand in `{"events": [...]}`, and either of them in a JSON string, as in a dump of localStorage. The
decoder of an element checks later whether the element is JSON.
"""

from __future__ import annotations

import json
import re
from codecs import getincrementaldecoder
from collections.abc import Iterator
from itertools import chain

from service.ingest.json_elements import BLANKS, Borders, Unclosed
from service.ingest.refusals import shown

_PEEKED = 1_000
_OPENING = re.compile(rb'(?P<envelope>\{[ \t\r\n]*"events"[ \t\r\n]*:[ \t\r\n]*)?\[')
# Matches up to the last character that cannot be part of an escape. A cut there never splits an escape or a pair of
# surrogates.
_UNCUT = re.compile(r'.*[^"\\/a-fA-F0-9nrtu]', re.DOTALL)
_LONGEST_UNCUT = 8 * 1024 * 1024
_strings = json.JSONDecoder(strict=False)


def stream_array(chunks: Iterator[bytes], most: int) -> Iterator[bytes]:
    """Give the text of each element of the array, cut after `most` bytes.

    Raises Unclosed, after the elements before, when the text is not such an array or ends too early.
    """
    head = _peek(chunks)
    if head.startswith(b'"'):
        chunks = _unquoted(chain([head[1:]], chunks))
        head = _peek(chunks)
    opening = _OPENING.match(head)
    if not opening:
        raise Unclosed(f'expected an array of events or {{"events": [...]}}, got {_told(head)}')
    ending = b"}" if opening["envelope"] else b""
    yield from _split(chain([head[opening.end() :]], chunks), most, ending)


def _peek(chunks: Iterator[bytes]) -> bytes:
    """Take chunks until they show the beginning of the text, without leading blanks. Return what was taken."""
    head = b""
    for chunk in chunks:
        head = (head + chunk).lstrip(BLANKS)
        if len(head) >= _PEEKED:
            break
    return head


def _told(text: bytes) -> str:
    return shown(text.decode(errors="backslashreplace")) or "nothing"


def _split(chunks: Iterator[bytes], most: int, ending: bytes) -> Iterator[bytes]:
    """Give the elements of an array. chunks: the text after its opening bracket. ending: the text after its end."""
    borders = Borders()
    kept = after = b""
    count = 0
    for text in _whole_escapes(chunks):
        start = 0
        for end in borders.within(text):
            element = (kept + text[start:end]).strip(BLANKS)[:most]
            kept, start = b"", end + 1
            # `[]` has no element. After a comma, an empty element counts; its decoder refuses it.
            if element or count or not borders.closed:
                count += 1
                yield element
        if borders.closed:
            after = (after + text[start:]).strip(BLANKS)[:_PEEKED]
        else:
            kept = (kept + text[start:]).lstrip(BLANKS)
            # Keep one more byte that is not blank, because blanks before it do not end the element.
            kept = kept[:most] + kept[most:].strip(BLANKS)[:1]
    if not borders.closed:
        raise Unclosed(f"the array is not closed after element {count:,}")
    if after != ending:
        raise Unclosed(f"after the array: expected {_told(ending)}, got {_told(after)}")


def _whole_escapes(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give the same text in chunks that never end between a backslash and the escaped character."""
    rest = b""
    for chunk in chunks:
        text = rest + chunk
        end = len(text) - (len(text) - len(text.rstrip(b"\\"))) % 2
        rest = text[end:]
        yield text[:end]
    yield rest


def _unquoted(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Give the text inside a JSON string. chunks: the text after its opening quote. Raises Unclosed."""
    decoder = getincrementaldecoder("utf-8")("surrogateescape")
    rest = ""
    for chunk in chunks:
        rest += decoder.decode(chunk)
        if cut := _UNCUT.match(rest):
            # The added quote closes the string unless its own closing quote comes first.
            text, end = _string(f'{cut[0]}"')
            yield text
            rest = rest[min(end, cut.end()) :]
            if end <= cut.end():
                _refuse_rest(rest, chunks)
                return
        elif len(rest) > _LONGEST_UNCUT:
            raise Unclosed(f"the string has {_LONGEST_UNCUT:,} characters in a row without a bracket, comma or blank")
    text, end = _string(rest)
    yield text
    _refuse_rest(rest[end:], chunks)


def _string(text: str) -> tuple[bytes, int]:
    """Return the text before the first quote that is not escaped, and the place after that quote. Raises Unclosed."""
    try:
        value, end = _strings.raw_decode(f'"{text}')
    except ValueError:
        raise Unclosed("the string that holds the array is not closed, or is not JSON") from None
    # A lone surrogate becomes bytes that are not UTF-8, so that the decoder refuses only its element.
    return value.encode(errors="surrogatepass"), end - 1


def _refuse_rest(rest: str, chunks: Iterator[bytes]) -> None:
    after = _peek(chain([rest.encode(errors="surrogateescape")], chunks))
    if after:
        raise Unclosed(f"after the string that holds the array: expected nothing, got {_told(after)}")
