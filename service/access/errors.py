"""Why a request may not do what it asks for, and why sites and keys cannot be changed.

ServiceError
├── Unauthorized     no valid key came with the request
├── Forbidden
│   ├── WrongKind    the key is of a kind that may not do this
│   ├── WrongView    the link shows something else
│   └── WrongSite    the key is of another site than the request names
└── Impossible
    ├── Bot          a bot or a headless browser sends, or an address that the operator refuses
    ├── NameTaken    another site has the name
    └── WrongState   the key is valid, or is not valid, and must be the other for this change
"""

from __future__ import annotations

from typing import Literal

from service.errors import Forbidden, Impossible, ServiceError

Reason = Literal["no_key", "expired_key", "revoked_key", "forwarded"]


class Unauthorized(ServiceError):
    """No valid key came with the request. reason: for the metrics; `no_key` also when the key is unknown."""

    code = "unauthorized"

    def __init__(self, message: str, reason: Reason) -> None:
        super().__init__(message)
        self.reason = reason


class WrongKind(Forbidden):
    """The key is valid, but keys of its kind may not do this."""

    code = "wrong_kind"


class WrongView(Forbidden):
    """The link is valid, but shows one view, which this is not."""

    code = "wrong_view"


class WrongSite(Forbidden):
    """The key is valid, but of another site than the request names, or of one site where it must be of all."""

    code = "wrong_site"


class Bot(Impossible):
    """A bot or a headless browser sends, or an address that the operator refuses. Its events are not counted."""

    code = "bot"


class NameTaken(Impossible):
    """Another site has the name."""

    code = "name_taken"


class WrongState(Impossible):
    """The key is valid, or is not valid, and must be the other for this change."""

    code = "wrong_state"
