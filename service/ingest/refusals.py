"""The errors of events: the field that is wrong, what was expected, and what was there."""

import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from typing import Literal

import msgspec

from service.errors import Invalid
from service.ingest.json_elements import Unclosed, split_object
from service.ingest.storable_properties import MAX_DEPTH
from service.ingest.timestamps import EXAMPLE

MAX_NAME = 128
MAX_PERSON = 256
SHOWN_CHARACTERS = 60
# Enough bytes to show, whatever their encoding.
_SHOWN_BYTES = 8 * SHOWN_CHARACTERS
# An event has fewer fields. A search for the one to blame must not take long in an object that has thousands.
_SEARCHED_MEMBERS = 32

ErrorCode = Literal["malformed", "missing_field", "unknown_field", "invalid_field", "too_large"]


class EventError(Invalid):
    """The event breaks a rule.

    Codes: `malformed` (not JSON, not UTF-8 or not an object), `missing_field`, `unknown_field`, `invalid_field`, and
    `too_large` (its properties).
    """

    def __init__(self, code: ErrorCode, message: str, field: str | None = None) -> None:
        super().__init__(message, field)
        self.code = code

    def alone(self) -> "EventError":
        """Return the error without the frames that it came through; those of 10,000 errors would take long to free."""
        self.__traceback__ = self.__context__ = None
        return self


EXPECTED = {
    "event_type": f"a string of 1 to {MAX_NAME} characters",
    "session_id": f"a string of 1 to {MAX_PERSON} characters",
    "timestamp": f"an ISO-8601 time such as {EXAMPLE}",
    "event_id": f"a string of at most {MAX_NAME} characters",
    "id": f"a string of at most {MAX_NAME} characters",
    "user_id": f"a string of at most {MAX_PERSON} characters",
    "tool_name": f"a string of at most {MAX_NAME} characters",
    "action": f"a string of at most {MAX_NAME} characters",
    "properties": "an object",
    "demo_mode": "true or false",
    "type": '"analytics_event"',
}
# What the sender of a wrong value may have meant.
HINTS = {"type": "; did you mean event_type?"}
REQUIRED = ("event_type", "session_id", "timestamp")
ABSENT = (b"", b'""', b"null")
# The exceptions that decoding raises.
REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
# Matches msgspec's messages about an object that does not fit.
_BLAME = re.compile(
    r"Object missing required field `(?P<missing>\w+)`"
    r"|Object contains unknown field `(?P<unknown>.*)`"
    r"|.* - at `\$\.(?P<invalid>\w+)`",
    re.DOTALL,
)


def refusal(element: bytes, error: Exception) -> EventError:
    """Return the decoder's error as an EventError."""
    if isinstance(error, RecursionError):
        # Only properties can nest.
        return EventError("invalid_field", f"properties: nested deeper than {MAX_DEPTH}", "properties")
    blame = _BLAME.fullmatch(str(error)) if isinstance(error, msgspec.ValidationError) else None
    if blame is None:
        return _malformed(element, error)
    if blame["unknown"] is not None:
        return unknown_field(blame["unknown"])
    if (name := blame["missing"]) is not None:
        return EventError("missing_field", f"{name} is missing: expected {EXPECTED[name]}", name)
    name = blame["invalid"]
    return invalid(name, next((value for key, value in _members(element) if key == name), b""))


def _malformed(element: bytes, error: Exception) -> EventError:
    for name, value in _members(element):
        try:
            msgspec.json.decode(value, type=msgspec.Raw)
            value.decode()
        except REFUSALS:
            return not_json(name, value)
    return EventError("malformed", f"expected a JSON object in UTF-8: {error}")


def invalid(name: str, value: bytes) -> EventError:
    code: ErrorCode = "missing_field" if name in REQUIRED and value in ABSENT else "invalid_field"
    return EventError(code, f"{name}: expected {EXPECTED[name]}, got {shown(_text(value))}{HINTS.get(name, '')}", name)


def not_json(name: str, value: bytes) -> EventError:
    message = f"{shown(name)}: expected JSON in UTF-8 without lone surrogates, got {shown(_text(value))}"
    return EventError("malformed", message, shown(name))


def unknown_field(name: str) -> EventError:
    return EventError("unknown_field", f"unknown field: {shown(name)}", shown(name))


def refuse_repeats(element: bytes) -> None:
    """Raise EventError when an object gives a name twice. One of the values would be lost."""
    seen = set()
    for key, _ in split_object(element):
        if (name := key_name(key)) in seen:
            raise repeated(name)
        seen.add(name)


def repeated(name: str) -> EventError:
    return EventError("malformed", f"{shown(name)} is given twice", shown(name))


def _members(element: bytes) -> Iterator[tuple[str, bytes]]:
    """Give the first names and values of an object, as far as it can be split."""
    with suppress(Unclosed):
        for key, value in islice(split_object(element), _SEARCHED_MEMBERS):
            yield key_name(key), value


def key_name(key: bytes) -> str:
    try:
        return msgspec.json.decode(key, type=str)
    except REFUSALS:
        return _text(key[1:-1])


def _text(value: bytes) -> str:
    return value[:_SHOWN_BYTES].decode(errors="backslashreplace")


def shown(text: str) -> str:
    """Return a text of a client as one printable line of bounded length."""
    short = text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in short)
