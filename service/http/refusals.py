"""Refusals that only HTTP knows; the errors of the service itself are in service/errors.py.

ServiceError
├── Unauthorized          the key or the token is missing or wrong
├── MethodNotAllowed      the path answers other methods
├── UnsupportedEncoding   the body has a content encoding that is not read here
├── UnsupportedType       the body has a content type that is not read here
├── UnknownHost           the Host header names another service
└── ClientGone            the client went away before its answer
"""

from __future__ import annotations

from service.errors import ServiceError


class Unauthorized(ServiceError):
    """The key or the token is missing or wrong."""

    code = "unauthorized"


class MethodNotAllowed(ServiceError):
    """The path answers other methods: `allowed`, as the header Allow names them."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"{method} is not answered here, only {allowed}")
        self.allowed = allowed


class UnsupportedEncoding(ServiceError):
    """The body has a content encoding that is not read here."""

    code = "unsupported_encoding"


class UnsupportedType(ServiceError):
    """The body has a content type that is not read here."""

    code = "unsupported_type"


class UnknownHost(ServiceError):
    """The Host header names another service."""

    code = "unknown_host"


class ClientGone(ServiceError):
    """The client went away before its answer."""

    code = "client_gone"
