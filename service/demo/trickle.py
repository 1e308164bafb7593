"""Sends the events of a demo's visitors while the demo runs: each when it happens, by HTTP, like a client."""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPException

import msgspec
import structlog

from service.ingest.event import Event
from service.settings import Settings

# Skip an event that was due longer ago, because the machine slept or the service was away.
MISSED_SECONDS = 60.0
TIMEOUT_SECONDS = 10.0
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 5.0
UNAVAILABLE = 503

log = structlog.get_logger(__name__)


def trickle(settings: Settings, events: Iterable[tuple[datetime, Event]]) -> None:
    """Send each event when it is due."""
    sender = Sender(settings)
    for due, event in events:
        wait = (due - datetime.now(UTC)).total_seconds()
        if wait > -MISSED_SECONDS:
            time.sleep(max(wait, 0))
            sender.send(event)


class Sender:
    """Sends events one by one. It repeats an event until it gets an answer, because a repeat is harmless."""

    def __init__(self, settings: Settings) -> None:
        self._connection = HTTPConnection(settings.address(), settings.port, timeout=TIMEOUT_SECONDS)
        self._headers = _headers(settings)

    def send(self, event: Event) -> None:
        """Send an event. Give up when the service refuses it, and log that."""
        body = as_sent(event)
        pause = FIRST_PAUSE
        while (status := self._post(body)) in (None, UNAVAILABLE):
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        if status != 200:
            log.warning("an event of the demo is refused", status=status, event_id=event.event_id)

    def _post(self, body: bytes) -> int | None:
        """Return the status of the answer, None without an answer."""
        try:
            self._connection.request("POST", "/e", body, self._headers)
            with self._connection.getresponse() as answer:
                answer.read()
                return answer.status
        except (OSError, HTTPException):
            self._connection.close()
            return None


def as_sent(event: Event) -> bytes:
    """Return the JSON that a client sends for an event."""
    fields = {name: value for name, value in event._asdict().items() if value is not None}
    if event.properties is not None:
        fields["properties"] = msgspec.Raw(event.properties.encode())
    return msgspec.json.encode(fields)


def _headers(settings: Settings) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    if settings.allowed_hosts[0] != "*":
        headers["Host"] = settings.allowed_hosts[0]
    if settings.write_key is not None:
        headers["X-Write-Key"] = settings.write_key
    return headers
