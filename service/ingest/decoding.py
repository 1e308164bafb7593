"""Decodes events as they are sent. An error names the field that is wrong.

It refuses everything that PostgreSQL's text or jsonb would refuse, so that no event can fail the append of others (R9).
"""

import secrets
import time
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from service.errors import TooLarge
from service.ingest.event import MAX_EVENT_BYTES, MAX_PROPERTIES_BYTES, Event
from service.ingest.own_names import MOST_OWN_BYTES, own_bytes
from service.ingest.refusals import (
    ABSENT,
    MAX_NAME,
    MAX_PERSON,
    REFUSALS,
    EventError,
    invalid,
    not_json,
    refusal,
    refuse_repeats,
    shown,
)
from service.ingest.storable_properties import refuse_unstorable
from service.ingest.timestamps import parse_time

_Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
_Person = Annotated[str, msgspec.Meta(max_length=MAX_PERSON)]
_Given = msgspec.Meta(min_length=1)


class _Sent(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    event_type: Annotated[_Name, _Given]
    session_id: Annotated[_Person, _Given]
    timestamp: Annotated[str, _Given]
    event_id: _Name | UnsetType | None = UNSET
    id: _Name | UnsetType | None = UNSET
    user_id: _Person | UnsetType | None = UNSET
    tool_name: _Name | UnsetType | None = UNSET
    action: _Name | UnsetType | None = UNSET
    properties: msgspec.Raw | UnsetType = UNSET
    demo_mode: bool | Literal[""] | UnsetType | None = UNSET
    type: Literal["analytics_event", ""] | UnsetType | None = UNSET


_TEXTS = ("event_type", "session_id", "event_id", "id", "user_id", "tool_name", "action")
BOM = b"\xef\xbb\xbf"
_NUL = rb"\u0000"
# The names of fields as JSON.
_QUOTED = {name: b'"%b"' % name.encode() for name in _Sent.__struct_fields__}
_one = msgspec.json.Decoder(_Sent)
_many = msgspec.json.Decoder(list[_Sent])


def decode_event(body: bytes) -> Event:
    """Return the event of a JSON object in UTF-8, with or without a BOM. Raises EventError and TooLarge."""
    refuse_size(body, MAX_EVENT_BYTES)
    return decode_element(body.removeprefix(BOM))


def refuse_size(body: bytes, limit: int) -> None:
    """Raise TooLarge when the body is over the limit."""
    if len(body) > limit:
        raise TooLarge(f"the body has {len(body)} bytes, but may have at most {limit}")


def decode_elements(array: bytes) -> list[Event | EventError]:
    """Return the event or the error of each element.

    Raises one of REFUSALS when any element is not an event's JSON, and Repeated when one may give a field twice.
    """
    sent = _many.decode(array)
    if _may_repeat(array, sent):
        raise Repeated
    nul = _NUL in array
    return [_checked(each, nul) for each in sent]


class Repeated(ValueError):
    """An event may give a field twice; the decoder takes the last one."""


def _may_repeat(text: bytes, events: list[_Sent]) -> bool:
    """Tell whether the names of fields occur more often than events have them, outside of properties."""
    for name, quoted in _QUOTED.items():
        if found := text.count(quoted):
            given = sum([getattr(event, name) is not UNSET for event in events])
            if found > given and found - sum(_raw_properties(event).count(quoted) for event in events) > given:
                return True
    return False


def _raw_properties(sent: _Sent) -> bytes:
    return b"" if sent.properties is UNSET else bytes(sent.properties)


def _checked(sent: _Sent, nul: bool) -> Event | EventError:
    try:
        return _event(sent, nul)
    except EventError as error:
        return error.alone()


def decode_element(element: bytes) -> Event:
    """Return the event of a JSON object. Raises EventError."""
    try:
        sent = _one.decode(element)
    except REFUSALS as error:
        raise refusal(element, error) from None
    if max(map(element.count, _QUOTED.values())) > 1:
        refuse_repeats(element)
    return _event(sent, _NUL in element)


def _event(sent: _Sent, nul: bool) -> Event:
    if nul:
        _refuse_nul(sent)
    if sent.id and sent.event_id and sent.id != sent.event_id:
        raise EventError("invalid_field", "id and event_id differ: send only one of them", "event_id")
    return Event(
        sent.event_id or sent.id or _new_id(),
        sent.session_id,
        sent.user_id or None,
        sent.event_type,
        sent.tool_name or None,
        sent.action or None,
        _properties(_raw_properties(sent)),
        sent.demo_mode is not False,
        _timestamp(sent.timestamp),
    )


def _refuse_nul(sent: _Sent) -> None:
    for name in _TEXTS:
        if "\0" in (getattr(sent, name) or ""):
            raise EventError("invalid_field", f"{name}: a NUL character cannot be stored", name)


def _properties(raw: bytes) -> str | None:
    if not raw.startswith(b"{"):
        if raw in ABSENT:
            return None
        raise invalid("properties", raw)
    _refuse_large(len(raw), MAX_PROPERTIES_BYTES + MOST_OWN_BYTES)
    try:
        refuse_unstorable(raw)
        text = raw.decode()
    except UnicodeDecodeError:
        raise not_json("properties", raw) from None
    except ValueError as error:
        raise EventError("invalid_field", f"properties: {error}", "properties") from None
    if len(raw) > MAX_PROPERTIES_BYTES:
        _refuse_large(len(raw), MAX_PROPERTIES_BYTES + own_bytes(text))
    return text


def _refuse_large(size: int, most: int) -> None:
    """Raise EventError for properties over the limit, which does not count what the service itself has added."""
    if size > most:
        message = f"properties: expected at most {MAX_PROPERTIES_BYTES} bytes, got {size}"
        raise EventError("too_large", message, "properties")


def _timestamp(text: str) -> datetime:
    try:
        return parse_time(text)
    except ValueError as error:
        raise EventError("invalid_field", f"timestamp: {error}, got {shown(text)}", "timestamp") from None


def _new_id() -> str:
    """Return `evt_` and a UUIDv7 in hex (RFC 9562, 5.7): 48 bits of milliseconds, and 74 random bits."""
    high, low = divmod(secrets.randbits(74), 1 << 62)
    return f"evt_{time.time_ns() // 1_000_000 << 80 | 7 << 76 | high << 64 | 2 << 62 | low:032x}"
