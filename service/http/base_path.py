"""The prefix that a proxy serves the service under, and passes on (HOURLEDGER_BASE_PATH).

A proxy may also take the prefix off. Both work, because pages and client use addresses relative to themselves.
"""

from __future__ import annotations

from litestar.types import HTTPScope


class BasePath:
    """Takes the prefix off the paths of requests. prefix: such as "/stats", or "" for none."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self._segments = prefix.count("/")

    def take_off(self, scope: HTTPScope) -> None:
        """Change the paths of a request to those of the service. Leave a path without the prefix as it is."""
        if not (self._prefix and scope["path"].startswith(f"{self._prefix}/")):
            return
        scope["path"] = scope["path"].removeprefix(self._prefix)
        # Drop segments, not characters, because characters of the raw path may be encoded.
        scope["raw_path"] = b"/" + scope["raw_path"].split(b"/", self._segments + 1)[-1]

    def page_of(self, scope: HTTPScope) -> str | None:
        """Return where the page is that a request names, when its relative addresses would fail at the path as given.

        They would at the prefix without a slash, and at the page of the API with one.
        """
        if self._prefix and scope["path"] == self._prefix:
            return f"{self._prefix}/"
        # Relative, because a proxy may have taken a prefix off.
        return "../schema" if scope["path"].removeprefix(self._prefix) == "/schema/" else None
