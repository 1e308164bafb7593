"""What people call keys and links."""

from __future__ import annotations

from service.errors import InvalidParameter

LONGEST_LABEL = 128
# An error quotes at most this many characters of a label.
SHOWN = 40


def check_label(label: str) -> None:
    """Raise InvalidParameter unless a label is short and printable; it may be empty."""
    if len(label) > LONGEST_LABEL or not label.isprintable():
        raise InvalidParameter(
            f"label must be up to {LONGEST_LABEL} printable characters, not {label[:SHOWN]!r}", "label"
        )
