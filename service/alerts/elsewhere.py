"""Sends messages to what the library apprise reaches: chats, phones and many services. It is an optional part."""

from __future__ import annotations

import asyncio
from typing import Any

from service.alerts.errors import DeliveryFailed
from service.alerts.messages import Message

HOW_TO_INSTALL = "apprise is not installed where the service runs: install hourledger[apprise]"


async def notify(url: str, message: Message) -> None:
    """Send a message to a URL of apprise, in a thread beside the event loop. Raises DeliveryFailed."""
    await asyncio.to_thread(_notify, url, message)


def problem_with(url: str) -> str | None:
    """Return why apprise does not know a URL, None when it does."""
    try:
        _opened(url)
    except DeliveryFailed as error:
        return str(error)
    return None


def _notify(url: str, message: Message) -> None:
    # Apprise logs why, and says only whether. It gives up each request after a time of its own.
    if not _opened(url).notify(title=message.subject, body=message.text):
        raise DeliveryFailed("apprise could not send it; its lines in the log of the service say why")


def _opened(url: str) -> Any:
    try:
        import apprise  # noqa: PLC0415  # optional, and slow to load
    except ImportError as error:
        raise DeliveryFailed(HOW_TO_INSTALL) from error
    opened = apprise.Apprise()
    if not opened.add(url):
        raise DeliveryFailed("apprise does not know this URL; https://github.com/caronc/apprise/wiki lists the forms")
    return opened
