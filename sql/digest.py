"""The text form of a digest of events."""

from __future__ import annotations

from decimal import Decimal


def digest_text(high: Decimal, low: Decimal) -> str:
    """Return the two sums of 64-bit halves, each modulo 2**64, as 32 hexadecimal digits."""
    return f"{int(high) % 2**64:016x}{int(low) % 2**64:016x}"
