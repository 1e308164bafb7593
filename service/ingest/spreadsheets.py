"""Texts in the cells of CSV: exports keep spreadsheets from taking them for formulas, and imports take that back."""

from __future__ import annotations

import re

# Matches text that a spreadsheet takes for a formula: https://owasp.org/www-community/attacks/CSV_Injection. Leading
# apostrophes count, so that removing one apostrophe always restores the original text.
_FORMULA = re.compile("'*[=+\\-@\t\r\n＝＋－＠]")  # noqa: RUF001  # spreadsheets take full-width signs, too


def harmless(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet would take it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text


def restored(cell: str) -> str:
    """Return the text of a cell, without the apostrophe that `harmless` put before it."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
