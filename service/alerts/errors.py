"""Why a message could not be sent."""

from __future__ import annotations


class DeliveryFailed(Exception):
    """The target did not take a message. The text says why, without secrets; another attempt may succeed."""
