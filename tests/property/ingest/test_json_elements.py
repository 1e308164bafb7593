"""Splitting without decoding, compared with Python's json."""

import json

from hypothesis import given
from hypothesis import strategies as st

from service.ingest.json_elements import split_array, split_object
from tests.support.sent_events import examples, values


@given(st.lists(values, max_size=6), st.booleans(), st.sampled_from([None, 2]))
@examples(200)
def test_splitting_finds_what_json_finds(array: list[object], ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(array, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass")
    assert [json.loads(element.decode(errors="surrogatepass")) for element in split_array(text)] == array
    named = {str(place): value for place, value in enumerate(array)} | {'"\\,:{': 0}
    text = json.dumps(named, ensure_ascii=ascii_only, indent=indent).encode(errors="surrogatepass")
    found = [(json.loads(key), json.loads(value.decode(errors="surrogatepass"))) for key, value in split_object(text)]
    assert found == list(named.items())
