"""Splitting JSON in chunks of any size, compared with Python's json."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.imports.json_stream import stream_array
from service.ingest.json_elements import Unclosed
from tests.support.sent_events import examples, values

arrays = st.lists(values, max_size=6)
dumps = st.fixed_dictionaries(
    {"ensure_ascii": st.booleans(), "indent": st.sampled_from([None, 2])},
)
sizes = st.sampled_from([1, 2, 3, 7, 64, 100_000])


def chunks(text: bytes, size: int) -> Iterator[bytes]:
    return (text[start : start + size] for start in range(0, len(text), size))


def written(array: list[object], shape: str, how: dict[str, bool | None]) -> bytes:
    """Write an array; a lone surrogate can only be written as an escape."""
    text = dump({"events": array} if shape.endswith("object") else array, how)
    return (dump(text, how) if shape.startswith("string") else text).encode(errors="replace")


def dump(value: object, how: dict[str, bool | None]) -> str:
    return json.dumps(value, ensure_ascii=how["ensure_ascii"] is True, indent=how["indent"])


def read(text: bytes) -> list[object]:
    found = json.loads(text)
    found = json.loads(found) if isinstance(found, str) else found
    events: list[object] = found["events"] if isinstance(found, dict) else found
    return events


def decoded(element: bytes) -> object:
    return json.loads(element.decode(errors="surrogatepass"))


@given(arrays, st.sampled_from(["array", "object", "string of array", "string of object"]), dumps, sizes)
@examples(300)
def test_streaming_finds_what_json_finds(
    array: list[object], shape: str, how: dict[str, bool | None], size: int
) -> None:
    text = written(array, shape, how)
    assert [decoded(element) for element in stream_array(chunks(text, size), len(text))] == read(text)


@given(arrays, st.sampled_from(["array", "string of array"]), dumps, sizes, st.data())
@examples(150)
def test_what_ends_too_early_is_told_after_the_elements_before(
    array: list[object], shape: str, how: dict[str, bool | None], size: int, data: st.DataObject
) -> None:
    text = written(array, shape, how)
    cut = text[: data.draw(st.integers(0, len(text) - 1))]
    found: list[object] = []
    with pytest.raises(Unclosed):
        found.extend(map(decoded, stream_array(chunks(cut, size), len(text))))
    assert found == read(text)[: len(found)]


@given(arrays, dumps, sizes, st.integers(1, 9))
@examples(100)
def test_elements_are_cut(array: list[object], how: dict[str, bool | None], size: int, most: int) -> None:
    text = written(array, "array", how)
    whole = list(stream_array(chunks(text, size), len(text)))
    assert list(stream_array(chunks(text, size), most)) == [element[:most] for element in whole]
