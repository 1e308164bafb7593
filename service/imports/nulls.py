"""Words that other systems write into CSV for an absent value. Only the user can tell them from texts."""

from __future__ import annotations

from collections.abc import Sequence

from service.imports.errors import NotImportable

# The cells that mean an absent value, beside empty ones. None: the user has not said.
Nulls = frozenset[str] | None

# PostgreSQL, MySQL, pandas, R, JSON, Python, Excel.
USUAL = frozenset({"\\N", "NULL", "null", "NA", "N/A", "#N/A", "NaN", "nan", "None", "nil", "undefined"})
# The import asks about a column when this share of its cells holds one of these words. A person may be called Null.
SHARE = 0.1


def parse_nulls(text: str) -> frozenset[str]:
    """Return the words of a list with commas. A comma alone names none."""
    return frozenset(text.split(",")) - {""}


def check_nulls(columns: Sequence[str], records: Sequence[Sequence[str]]) -> None:
    """Raise NotImportable when many cells of a column hold one of the USUAL words."""
    for column, name in enumerate(columns):
        if name == "properties":  # JSON has a null of its own
            continue
        cells = [record[column] for record in records if column < len(record)]
        for word in sorted(USUAL.intersection(cells)):
            if (count := cells.count(word)) >= SHARE * len(cells):
                raise NotImportable(
                    f"the column {name} holds {word} in {count:,} of the first {len(cells):,} rows:"
                    f" NULLS='{word}' imports such cells as absent, NULLS=, as the text {word}"
                )
