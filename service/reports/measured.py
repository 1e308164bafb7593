"""Metrics of visits and of numbers by bucket and key, which raw events alone know."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from service.reports.counted import Value

Row = Mapping[str, Any]

VISIT_METRICS = ("bounce_rate", "visit_duration", "pages_per_visit")
QUANTILES = ("median", "p90")
NUMBER_METRICS = ("sum", "average", *QUANTILES, "minimum", "maximum")
_NOTHING: Row = {}


class Measured:
    """The rows of sql/archive/visits.sql or numbers.sql, with where the shards stand. source: what was read."""

    def __init__(self, rows: Iterable[Row], source: str) -> None:
        self.source = source
        self._whole: dict[int, Row] = {}
        self._of_key: defaultdict[int, dict[str, Row]] = defaultdict(dict)  # by bucket
        self._positions: list[int] = []
        self._lag_events = 0
        for row in rows:
            if row["bucket"] is None:
                self._stand(row)
            elif row["whole"]:
                self._whole[row["bucket"] - 1] = row
            else:
                self._of_key[row["bucket"] - 1][row["key"]] = row

    def _stand(self, row: Row) -> None:
        if row["measure"] == "position":
            self._positions.append(row["amount"])
        else:
            self._lag_events += row["amount"]

    @property
    def as_of(self) -> dict[str, Any]:
        """The log's last position by shard, and the number of events that the projector has not folded yet."""
        return {"positions": self._positions, "lag_events": self._lag_events}

    @property
    def not_numbers(self) -> int:
        """The number of values that are no numbers."""
        return sum(row["not_numbers"] for row in self._whole.values())

    def value(self, metric: str, bucket: int) -> Value | msgspec.Raw:
        """Return the value of a metric in a bucket, None without visits or numbers, but a sum of 0."""
        return _value(metric, self._whole.get(bucket, _NOTHING))

    def part(self, metric: str, dimension: str, key: str, bucket: int) -> Value | msgspec.Raw:  # noqa: ARG002  # as Counted
        """Return the value of a metric in a bucket for one key."""
        return _value(metric, self._of_key[bucket].get(key, _NOTHING))

    def keys(self, dimension: str, bucket: int = 0) -> list[str]:  # noqa: ARG002  # as Counted
        """Return the keys of a bucket."""
        return [*self._of_key[bucket]]


def _value(metric: str, row: Row) -> Value | msgspec.Raw:
    if metric in VISIT_METRICS:
        return _of_visits(metric, row) if row else None
    if metric == "sum":
        return exact(row.get("sum") or "0")
    if not row or not row["numbers"]:
        return None
    if metric == "average":
        return float(Decimal(row["sum"]) / row["numbers"])
    return float(row[metric]) if metric in QUANTILES else exact(row[metric])


def _of_visits(metric: str, row: Row) -> Value:
    visits = row["visits"]
    return {"bounce_rate": row["bounces"] / visits, "pages_per_visit": row["views"] / visits}.get(metric, row["median"])


def exact(digits: str) -> msgspec.Raw:
    """Return a decimal as a JSON number with all its digits, without zeros at the end of its fraction."""
    return msgspec.Raw((digits.rstrip("0").rstrip(".") if "." in digits else digits).encode())
