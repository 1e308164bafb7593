"""Names that begin with $ are the service's own: pages cannot send them, and they do not count toward the limit."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.decoding import decode_event
from service.ingest.event import MAX_PROPERTIES_BYTES
from service.ingest.own_names import MOST_OWN_BYTES, refuse_own_names, with_members
from service.ingest.refusals import EventError
from tests.support.sent_events import examples

EVENT = b'{"event_type":"e","session_id":"s","timestamp":"2026-11-30T00:00:00Z","properties":%b}'


@pytest.mark.parametrize(
    ("properties", "name"),
    [
        ('{"$browser":"Firefox"}', "$browser"),
        ('{"a":1, "\\u0024os" : 2}', "$os"),
        ('{"$":0}', "$"),
        ('{"path":{"$a":1},"$b\\n":[]}', "$b\\n"),
    ],
)
def test_a_name_of_the_services_own_is_refused_and_named(properties: str, name: str) -> None:
    with pytest.raises(EventError) as refused:
        refuse_own_names(properties)
    assert refused.value.code == "invalid_field"
    assert refused.value.field == f"properties.{name}"
    assert "server key" in refused.value.message


@pytest.mark.parametrize(
    "properties",
    [None, "{}", '{"price":"$5"}', '{"a":{"$browser":1}}', '{"a":"\\u0024os"}', '{"a$":1}', '{"a":["$b"]}'],
)
def test_a_dollar_elsewhere_is_nothing_special(properties: str | None) -> None:
    refuse_own_names(properties)


values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "$", "}", '"', "\\", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["$a", "b", "}"]), inner, max_size=2),
    max_leaves=5,
)
names = st.sampled_from(["a", "$a", "$", "b}", 'c"', " ", "\\u0024"])


@given(st.dictionaries(names, values, max_size=3), st.booleans(), st.sampled_from([None, 1, "\t"]))
@examples(200)
def test_names_are_found_and_members_added_as_python_does(
    sent: dict[str, object], is_plain: bool, indent: int | str | None
) -> None:
    text = json.dumps(sent, ensure_ascii=is_plain, indent=indent)
    own = [name for name in sent if name.startswith("$")]
    if own:
        with pytest.raises(EventError):
            refuse_own_names(text)
    else:
        refuse_own_names(text)
    assert json.loads(with_members(text, '"$browser":"x","$os":"y"') or "") == sent | {"$browser": "x", "$os": "y"}
    assert with_members(text, "") is text


def test_members_are_added_where_nothing_was_sent() -> None:
    for sent in (None, "{}", "{ \n}"):
        assert with_members(sent, '"$os":"x"') == '{"$os":"x"}'
    assert with_members(None, "") is None


def sized(size: int, own: str = "") -> bytes:
    text = f'{{{own}"a":""}}'
    return EVENT % (text[:-2] + "x" * (size - len(text)) + '"}').encode()


def test_what_the_service_adds_does_not_count_toward_the_limit() -> None:
    own = '"$browser":"Firefox","$source":"é"'
    text = decode_event(sized(MAX_PROPERTIES_BYTES)).properties
    exported = with_members(text, own)
    assert decode_event(EVENT % (exported or "").encode()).properties == exported
    for large in (sized(MAX_PROPERTIES_BYTES + 1), sized(MAX_PROPERTIES_BYTES + len(own.encode()) + 2, own + ",")):
        with pytest.raises(EventError, match="at most 16384 bytes"):
            decode_event(large)
    long = f'"$a":"{"x" * 2 * MOST_OWN_BYTES}",'
    with pytest.raises(EventError, match="at most 16384 bytes"):
        decode_event(sized(MAX_PROPERTIES_BYTES + MOST_OWN_BYTES + 1, long))
    decode_event(sized(MAX_PROPERTIES_BYTES + MOST_OWN_BYTES, long))
