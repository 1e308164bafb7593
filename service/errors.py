"""The errors of the service. `service/http/answers.py` gives each kind its HTTP status.

ServiceError
├── Invalid                 the request breaks a rule
│   ├── InvalidParameter    a parameter has an invalid value
│   ├── UnknownParameter    no parameter has this name
│   ├── Unreadable          the body, the query string or the path cannot be decoded
│   └── EventError          an event breaks a rule, see service/ingest/refusals.py
├── TooLarge                a body or a batch is over its limit
├── NotFound                nothing has this name or path
│   └── UnknownSite         no site has this name
├── Forbidden               the request is known, but may not do this
│   └── SiteRetired         the site takes no events any more
├── Impossible              the request is well-formed, but will never succeed unchanged
│   ├── Expired             its time is before the horizon, or before what is kept
│   ├── Future              the event is too far ahead
│   ├── IdReused            another session has sent the event's id
│   ├── ReadTooSlow         the read took too long
│   ├── ReadTooLarge        the read needs more memory, or more room for temporary files, than it may use
│   └── TooMany             the limit of saved segments is reached
├── RateLimited             the sender has sent more than it may
├── NotInstalled            an optional part of the service is not installed
└── Unavailable             not now: the same request may succeed later
    ├── DiskFull            the disk of the database has no room for events
    ├── QueueFull           too much waits to be stored
    ├── Busy                the limit of concurrent requests of this kind is reached
    ├── ReadInterrupted     the process that read for the request ended
    ├── ArchiveDamaged      a file of the archive is wrong or missing, and its events are nowhere else
    ├── NotReady            the database is away, takes no events, or is not set up yet
    ├── NotSetUp            a file that `make setup` makes is missing
    └── Stopping            the service is stopping

Refusals that only HTTP knows are in service/http/refusals.py, those of keys in service/access/errors.py.
"""

from __future__ import annotations


class ServiceError(Exception):
    """A request that the service cannot fulfil.

    code: for programs. message: for people. field: the field or parameter that is wrong, None unless it is only one.
    """

    code = "internal"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class Invalid(ServiceError):
    """The request breaks a rule."""

    code = "invalid"


class InvalidParameter(Invalid):
    """A parameter has an invalid value."""

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


class UnknownSite(NotFound):
    """No site has this name."""

    code = "unknown_site"


class Forbidden(ServiceError):
    """The request is known, but may not do this."""

    code = "forbidden"


class SiteRetired(Forbidden):
    """The site takes no events any more."""

    code = "site_retired"


class Impossible(ServiceError):
    """The request is well-formed, but will never succeed unchanged."""


class Expired(Impossible):
    """The event is before the horizon, or the range is before what is kept."""

    code = "expired"


class Future(Impossible):
    """The event is too far ahead."""

    code = "future"


class IdReused(Impossible):
    """Another session has sent the event's id with the same timestamp."""

    code = "id_reused"


class ReadTooSlow(Impossible):
    """The read took longer than it may."""

    code = "too_slow"


class ReadTooLarge(Impossible):
    """The read needs more memory, or more room for temporary files, than it may use."""

    code = "too_large"


class TooMany(Impossible):
    """The limit of saved segments is reached."""

    code = "too_many"


class RateLimited(ServiceError):
    """The sender has sent more than it may. The service has kept nothing of this request.

    seconds: after which it may send again.
    """

    code = "rate_limited"

    def __init__(self, message: str, seconds: int) -> None:
        super().__init__(message)
        self.seconds = seconds


class NotInstalled(ServiceError):
    """An optional part of the service is not installed."""

    code = "not_installed"


class Unavailable(ServiceError):
    """Not now: the same request may succeed later. An event is not known to be stored; repeat it with the same id."""

    code = "unavailable"


class DiskFull(Unavailable):
    """The disk of the database has no room for what the request would store."""

    code = "disk_full"


class QueueFull(Unavailable):
    """Too much waits to be stored. The service has kept nothing of this request."""


class Busy(Unavailable):
    """The limit of concurrent questions, exports or streams is reached."""


class ReadInterrupted(Unavailable):
    """The process that read for the request ended: killed, crashed, or stopped with the service."""

    code = "interrupted"


class ArchiveDamaged(Unavailable):
    """A file of the archive is wrong or missing, and the database no longer has its events as rows."""

    code = "archive_damaged"


class NotReady(Unavailable):
    """The database is away, takes no events, or is not set up yet."""


class NotSetUp(Unavailable):
    """A file that `make setup` makes is missing."""

    code = "not_installed"


class Stopping(Unavailable):
    """The service is stopping."""


def describe(code: str, message: str, field: str | None) -> dict[str, str]:
    """Return an error in the form of answers: code, message, and field unless it is None."""
    error = {"code": code, "message": message}
    return error if field is None else error | {"field": field}
