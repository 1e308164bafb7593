"""PostgreSQL takes all that the service accepts, and refuses what the service refuses as invalid JSON."""

import json
import math
import re
from decimal import Decimal

import asyncpg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.ingest.batch_decoding import decode_batch
from service.ingest.event import Event
from service.ingest.refusals import EventError
from tests.support.sent_events import LIMITS, examples, good, objects, texts, tried, with_properties

tokens = st.sampled_from(
    [
        *("{", "}", "[", "]", ",", ":", '"', '"a"', '"a":', '{"a":', "a", "é", "😀", "'", "#", "/*"),
        *(r"\n", r"\/", r"\x", "\\", r"\\", '"\\', r"\u", r"\u00e9", r"\uFFFF", r"\u0000", "u0000"),
        *(r"\ud800", r"\udc00", r"\ud83d\ude00", "d83d", "true", "false", "null", "nul", "True", "NaN", "Infinity"),
        *("0", "1", "-", "-0", "01", "1.", ".5", "1e5", "1E+2", "1e-7", "1e", "+1", "0x1", "e", "_"),
        *("1e400", "1e-400", "1e-401", "0e-16384", "0e99999", "9" * 64, "9" * 65, "0." + "1" * 62),
        *"\n\t\r \x0b\x0c\x00\x01\x1f\x7f\x80\xa0\u2028\ufeff\uffff",
    ]
)
shaped = st.lists(tokens, max_size=6).map("".join)
jsonish = st.one_of(
    shaped.map(lambda text: f'{{"a":{text}}}'),
    shaped.map(lambda text: f'{{"a":"{text}"}}'),
    shaped.map(lambda text: f'{{"{text}":1}}'),
    shaped.map(lambda text: f'{{"a":[1,{text},"b"]}}'),
    shaped.map(lambda text: "{" + text + "}"),
    objects.map(json.dumps),
)


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,70})(\.[0-9]{1,70})?([eE][+-]?[0-9]{1,5})?", fullmatch=True))
@examples(300)
def test_a_number_is_a_finite_double_of_64_characters(number: str) -> None:
    exponent = int([*re.split("[eE]", number), "0"][1])
    fits = len(number) <= 64 and math.isfinite(float(number)) and abs(exponent) <= 400
    found = tried(with_properties(f'{{"a":"{number}","b":[{number},{number}]}}'.encode()))
    assert isinstance(found, Event) == fits
    if isinstance(found, EventError):
        assert (found.code, found.field) == ("invalid_field", "properties")


@given(st.lists(jsonish, min_size=20, max_size=40))
@examples(40)
async def test_properties_are_taken_when_postgresql_takes_them(database_url: str, sent: list[str]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for text in sent:
            await agree_with_postgresql(connection, text)
    finally:
        await connection.close()


async def agree_with_postgresql(connection: asyncpg.Connection, text: str) -> None:
    found = tried(with_properties(text.encode()))
    if isinstance(found, Event):
        assert found.properties is not None
        kept = await connection.fetchval("select $1::text::jsonb", found.properties)
        assert exact(kept) == exact(found.properties)
    elif found.code == "malformed":
        with pytest.raises(asyncpg.DataError):
            await connection.fetchval("select $1::text::jsonb", text)


def exact(text: str) -> object:
    return json.loads(text, parse_int=Decimal, parse_float=Decimal)


worded = st.builds(
    lambda name, text, ascii_only: json.dumps(good | {name: text}, ensure_ascii=ascii_only),
    *(st.sampled_from(sorted(LIMITS)), texts, st.booleans()),
).map(lambda text: text.encode(errors="surrogatepass"))


@given(st.lists(worded, min_size=10, max_size=20))
@examples(30)
async def test_every_text_that_gets_in_is_one_to_postgresql(database_url: str, sent: list[bytes]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        for event in decode_batch(b"[" + b",".join(sent) + b"]"):
            if isinstance(event, Event):
                row = [event.event_id, event.session_id, event.user_id, event.event_type, event.tool_name, event.action]
                assert await connection.fetchval("select $1::text[]", row) == row
    finally:
        await connection.close()
