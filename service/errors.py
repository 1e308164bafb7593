"""Errors as answers: one shape, the right status.

ApiError
├── 400 invalid …        415 unsupported_encoding
├── 401 unauthorized     421 unknown_host
├── 404 / 405            422 expired, future, id_reused
└── 413 too_large        503 unavailable (with Retry-After)
"""

from __future__ import annotations

import msgspec

# Long enough for a restart of PostgreSQL, short enough for a browser that is about to leave.
RETRY_AFTER_SECONDS = 2


class ApiError(Exception):
    """An answer that is not 2xx: status, a code for programs, a message for people, the field to blame if any."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = _headers_of(status)

    def body(self) -> bytes:
        """Return the answer's JSON."""
        return msgspec.json.encode({"ok": False, "error": describe(self.code, self.message, self.field)})


def describe(code: str, message: str, field: str | None) -> dict[str, str]:
    """Return an error as it stands in answers; `field` is left out when no single one is to blame."""
    error = {"code": code, "message": message}
    return error if field is None else error | {"field": field}


def unavailable(message: str) -> ApiError:
    """Return the 503 that means: not known to be stored, send it again with the same event_id."""
    return ApiError(503, "unavailable", message)


def method_not_allowed(method: str, allowed: str) -> ApiError:
    """Return the 405 that names the methods there are."""
    error = ApiError(405, "method_not_allowed", f"{method} is not answered here, only {allowed}")
    error.headers["allow"] = allowed
    return error


def _headers_of(status: int) -> dict[str, str]:
    if status == 503:
        return {"retry-after": str(RETRY_AFTER_SECONDS)}
    return {"www-authenticate": "Bearer"} if status == 401 else {}
