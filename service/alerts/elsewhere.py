"""Sends messages to what the library apprise reaches: chats, phones and many services. It is an optional part."""

from __future__ import annotations

import asyncio
from typing import Any

from service.alerts.deadlines import seconds_to, thread_end
from service.alerts.errors import DeliveryFailed
from service.alerts.messages import Message

# For connecting, and for each read, of each request.
REQUEST_SECONDS = 10.0
HOW_TO_INSTALL = "apprise is not installed where the service runs: install hourledger[apprise]"


async def notify(url: str, message: Message) -> None:
    """Send a message to a URL of apprise, in a thread beside the event loop. Raises DeliveryFailed.

    It begins none after thread_end, gives up a request after REQUEST_SECONDS without a byte, and repeats none. What has
    begun cannot be ended: where a message takes several requests, with pauses, or answers that come byte by byte, it
    may be sent after the wait. It is recorded as failed then, and sent again.
    """
    await asyncio.to_thread(_notify, url, message, thread_end())


def problem_with(url: str) -> str | None:
    """Return why apprise does not know a URL, None when it does."""
    try:
        _opened(url)
    except DeliveryFailed as error:
        return str(error)
    return None


def _notify(url: str, message: Message, end: float) -> None:
    opened = _opened(url)
    for each in opened:
        each.socket_connect_timeout = min(each.socket_connect_timeout, REQUEST_SECONDS)
        each.socket_read_timeout = min(each.socket_read_timeout, REQUEST_SECONDS)
        each.service_retry = 0
    try:
        seconds_to(end)
    except TimeoutError as error:
        raise DeliveryFailed(f"apprise could not begin to send it: {error}") from error
    # Apprise logs why, and says only whether.
    if not opened.notify(title=message.subject, body=message.text):
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
