"""What the service cannot do, in its own words. `service/http/answers.py` gives each kind its HTTP status.

ServiceError
├── Invalid                 what was sent does not follow the rules
│   ├── InvalidParameter    a parameter has a value that it cannot have
│   ├── UnknownParameter    no parameter has this name
│   ├── Unreadable          the body, the query string or the path cannot be decoded
│   └── EventError          an event does not follow its rules, see service/ingest/refusals.py
├── TooLarge                a body or a batch is over its limit
├── NotFound                nothing has this name or path
├── Impossible              the request is well-formed, but can never succeed as it is
│   ├── Expired             its time is before the time that is kept
│   ├── Future              the event is too far ahead
│   ├── IdReused            another session has sent the event's id
│   ├── ReadTooSlow         reading so much takes too long
│   └── TooMany             there are as many as may be
├── NotInstalled            an optional part of the service is not installed
└── Unavailable             not now: the same request may succeed later
    ├── QueueFull           too much waits to be stored
    ├── Busy                as many are being answered as may be
    ├── NotReady            the database is away or not set up yet
    ├── NotSetUp            a file that `make setup` makes is missing
    └── Stopping            the service is about to end

Refusals that only HTTP knows are in service/http/refusals.py.
"""

from __future__ import annotations


class ServiceError(Exception):
    """Anything that the service cannot do.

    code: for programs. message: for people. field: the one to blame, None when no single one is.
    """

    code = "internal"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(ServiceError):
    """What was sent does not follow the rules."""

    code = "invalid"


class InvalidParameter(Invalid):
    """A parameter has a value that it cannot have."""

    code = "invalid_parameter"


class UnknownParameter(Invalid):
    """No parameter has this name."""

    code = "unknown_parameter"


class Unreadable(Invalid):
    """The body, the query string or the path cannot be decoded."""

    code = "malformed"


class TooLarge(ServiceError):
    """A body, or the number of its events, is over the limit."""

    code = "too_large"


class NotFound(ServiceError):
    """Nothing has this name or path."""

    code = "not_found"


class Impossible(ServiceError):
    """The request is well-formed, but can never succeed as it is."""


class Expired(Impossible):
    """The time that is asked for, or sent, is before the time that is kept."""

    code = "expired"


class Future(Impossible):
    """The event is too far ahead."""

    code = "future"


class IdReused(Impossible):
    """Another session has sent the event's id with the same timestamp."""

    code = "id_reused"


class ReadTooSlow(Impossible):
    """Reading so much takes longer than it may."""

    code = "too_slow"


class TooMany(Impossible):
    """There are as many as may be."""

    code = "too_many"


class NotInstalled(ServiceError):
    """An optional part of the service is not installed."""

    code = "not_installed"


class Unavailable(ServiceError):
    """Not now: the same request may succeed later. An event is not known to be stored; send it with the same id."""

    code = "unavailable"


class QueueFull(Unavailable):
    """Too much waits to be stored; nothing of this was kept."""


class Busy(Unavailable):
    """As many questions, exports or streams are being answered as may be."""


class NotReady(Unavailable):
    """The database is away, takes no events, or is not set up yet."""


class NotSetUp(Unavailable):
    """A file that `make setup` makes is missing."""

    code = "not_installed"


class Stopping(Unavailable):
    """The service is about to end."""


def describe(code: str, message: str, field: str | None) -> dict[str, str]:
    """Return an error as it stands in answers; `field` is left out when no single one is to blame."""
    error = {"code": code, "message": message}
    return error if field is None else error | {"field": field}
