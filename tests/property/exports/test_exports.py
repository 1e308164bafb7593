"""Exports say what is stored: CSV reads back unchanged and holds no formula; properties can be sent again."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO, StringIO

from hypothesis import given
from hypothesis import strategies as st

from service.exports.formats import CSV, writer
from service.exports.resendable_properties import sendable
from service.exports.rows import TEXT
from service.imports.formats import read_rows
from service.ingest.decoding import decode_event
from service.ingest.event import MAX_PROPERTIES_BYTES
from service.ingest.storable_properties import MAX_WRITTEN_OUT
from sql.database import Database
from tests.support.exports import SIGNS, unprefixed
from tests.support.sent_events import examples

texts = st.text(
    st.sampled_from("".join(SIGNS) + "'\",; a1é\u2028") | st.characters(codec="utf-8", exclude_characters="\0")
)
cells = st.none() | texts | st.sampled_from(SIGNS).flatmap(lambda sign: texts.map(lambda text: sign + text))


@given(st.lists(st.tuples(cells, cells), max_size=20))
@examples(300)
def test_csv_is_read_back_as_it_was_and_has_no_formula(rows: list[tuple[str | None, str | None]]) -> None:
    made = writer(CSV, {"a": TEXT, "b": TEXT})
    written = made.begin() + made.rows(rows) + made.end()
    header, *records = csv.reader(StringIO(written.decode(), newline=""), strict=True)
    assert header == ["a", "b"]
    assert not [cell for record in records for cell in record if cell.startswith(SIGNS)]
    assert [tuple(map(unprefixed, record)) for record in records] == [tuple(v or None for v in row) for row in rows]
    assert written.endswith(b"\r\n")


ids = texts.filter(str.strip)


@given(st.lists(st.tuples(ids, ids, cells), max_size=10))
@examples(100)
def test_the_import_reads_what_the_export_wrote(rows: list[tuple[str, str, str | None]]) -> None:
    columns = dict.fromkeys(("event_id", "session_id", "user_id", "event_type", "timestamp"), TEXT)
    made = writer(CSV, columns)
    events = [(*row, "a", "2025-10-18") for row in rows]
    written = made.begin() + made.rows(events) + made.end()
    read = [
        json.loads(row.element)
        for row in read_rows(BytesIO(written), CSV, nulls=frozenset())
        if isinstance(row.element, bytes)
    ]
    assert read == [{name: cell for name, cell in zip(columns, event, strict=True) if cell} for event in events]


KEPT = "select $1::text::jsonb::text as kept"
digits = st.text("0123456789", min_size=1, max_size=12)
# Number literals with exponents over the whole range that the service accepts; all stay under 64 characters.
numbers = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole.lstrip('0') or '0'}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    digits,
    st.just("") | digits.map(lambda text: f".{text}"),
    st.just("") | st.integers(-400, 290).map(lambda power: f"e{power}"),
)
strings = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8).map(json.dumps)
odd = st.sampled_from(['"a 1e9, \\" 10000"', '""', "null", "true"])
values = st.recursive(
    numbers | numbers | strings | odd,
    lambda inner: (
        st.lists(inner, max_size=5).map(lambda held: f"[{', '.join(held)}]")
        | st.lists(st.tuples(strings, inner), max_size=5).map(lambda held: f"{{{','.join(map(':'.join, held))}}}")
    ),
)


def event_with(properties: str) -> bytes:
    return b'{"event_type":"a","session_id":"b","timestamp":"2025-10-18","properties":%b}' % properties.encode()


@given(values, st.integers(0, 20))
@examples(150)
async def test_properties_can_be_sent_again(database: Database, value: str, power: int) -> None:
    # Repeat the value so that some properties are near the limit as sent, but far above it in jsonb's long form.
    repeated = min(2**power, (MAX_PROPERTIES_BYTES - 8) // (len(value.encode()) + 1))
    # Digits before an exponent count as well, because an export may move the point behind them.
    written = [len(number) + int(power or 0) for number, power in re.findall(r"([0-9.]+)(?:e[+-]?([0-9]+))?", value)]
    repeated = min(repeated, MAX_WRITTEN_OUT // max(1, sum(written)))
    sent = f'{{"a":[{",".join([value] * max(repeated, 1))}]}}'
    decode_event(event_with(sent))
    kept = (await database.only(KEPT, sent))["kept"]
    told = sendable(kept)
    decode_event(event_with(told))
    assert (await database.only(KEPT, told))["kept"] == kept
    assert told == kept or len(told.encode()) <= len(kept.encode())
