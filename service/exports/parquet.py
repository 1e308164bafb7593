"""Exports as Parquet. Needs pyarrow, which comes with the extra `parquet`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from service.exports.rows import COUNT, FLAG, JSON, TEXT, TIME, Columns, Row

# The writer ends a row group when it reaches one of these.
GROUP_ROWS = 32_768
GROUP_BYTES = 8 * 1024 * 1024

TYPES = {
    TEXT: pa.string(),
    JSON: pa.string(),
    FLAG: pa.bool_(),
    TIME: pa.timestamp("us", tz="UTC"),
    COUNT: pa.int64(),
}


class ParquetWriter:
    """Writes each row group once it is full. Of each it keeps some kilobytes for the footer."""

    def __init__(self, columns: Columns) -> None:
        self._schema = pa.schema([(name, TYPES[kind]) for name, kind in columns.items()])
        self._written = _Written()
        self._writer = parquet.ParquetWriter(
            pa.PythonFile(self._written, mode="w"),
            self._schema,
            compression="zstd",
            # No statistics of properties, because they would copy whole texts into the footer and help no reader.
            write_statistics=[name for name, kind in columns.items() if kind != JSON],
        )
        self._batches: list[Any] = []
        self._rows = self._bytes = 0

    def begin(self) -> bytes:
        """Return the format's first bytes."""
        return self._written.taken()

    def rows(self, rows: Sequence[Row]) -> bytes:
        """Return a row group, or nothing yet."""
        if rows:
            arrays = [
                pa.array(values, field.type)
                for field, values in zip(self._schema, zip(*rows, strict=True), strict=True)
            ]
            batch = pa.record_batch(arrays, schema=self._schema)
            self._batches.append(batch)
            self._rows += batch.num_rows
            self._bytes += batch.nbytes
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._write()
        return self._written.taken()

    def end(self) -> bytes:
        """Return the last row group and the footer."""
        self._write()
        self._writer.close()
        return self._written.taken()

    def _write(self) -> None:
        if self._batches:
            table = pa.Table.from_batches(self._batches, self._schema)
            self._writer.write_table(table.combine_chunks(), row_group_size=self._rows)
        self._batches, self._rows, self._bytes = [], 0, 0


class _Written:
    """A file in memory that gives its bytes away."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        """Return the bytes written since the last call."""
        parts, self._parts = self._parts, []
        return b"".join(parts)

    def flush(self) -> None:
        """Do nothing, because `taken` returns every byte anyway."""

    def close(self) -> None:
        self.closed = True
