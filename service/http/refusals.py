"""Refusals that only HTTP knows; the errors of the service itself are in service/errors.py.

ServiceError
├── MethodNotAllowed      the path answers other methods
├── UnsupportedEncoding   the path does not read this content encoding
├── UnsupportedType       the path does not read this content type
├── UnknownHost           the Host header names another service
├── ForeignOrigin         a page of another origin sends, which may not
└── ClientGone            the client went away before its answer
"""

from __future__ import annotations

from service.errors import ServiceError


class MethodNotAllowed(ServiceError):
    """The path answers other methods. allowed: their names, in the form of the header Allow."""

    code = "method_not_allowed"

    def __init__(self, method: str, allowed: str) -> None:
        super().__init__(f"this path does not answer {method}, only {allowed}")
        self.allowed = allowed


class UnsupportedEncoding(ServiceError):
    """The path does not read this content encoding."""

    code = "unsupported_encoding"


class UnsupportedType(ServiceError):
    """The path does not read this content type."""

    code = "unsupported_type"


class UnknownHost(ServiceError):
    """The Host header names another service."""

    code = "unknown_host"


class ForeignOrigin(ServiceError):
    """A page of another origin sends, which may not."""

    code = "foreign_origin"


class ClientGone(ServiceError):
    """The client went away before its answer."""

    code = "client_gone"
