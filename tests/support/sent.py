"""Events as clients send them."""

from __future__ import annotations

import msgspec

from service.ingest.event import Event


def as_sent(event: Event) -> bytes:
    """Return the JSON that a client sends for an event."""
    fields = {name: value for name, value in event._asdict().items() if value is not None}
    if event.properties is not None:
        fields["properties"] = msgspec.Raw(event.properties.encode())
    return msgspec.json.encode(fields)
