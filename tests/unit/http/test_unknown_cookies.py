"""Whom an unknown cookie lets wait for a look at the database: nobody who needs no access."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from service.app import Service
from service.settings import load

COOKIE = (b"cookie", b"hourledger_sign_in=invented")


class Asking:
    """A service without a database, and how often a request had it look again. status: of the last answer."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.service = Service(load({"HOURLEDGER_DATA_DIR": str(folder)}))
        self.looks = 0
        self.status = 0
        monkeypatch.setattr(self.service.sites, "look_again", self._look_again)

    async def _look_again(self) -> None:
        self.looks += 1

    async def ask(self, method: str, path: str, host: bytes = b"localhost") -> None:
        """Send a request with a cookie that nobody knows."""
        scope: Any = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(b"host", host), COOKIE],
            "http_version": "1.1",
            "scheme": "http",
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
            "state": {},
        }
        await self.service.entry(scope, self._receive, self._send)

    async def _receive(self) -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)


@pytest.fixture(name="asking")
def _asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Asking:
    return Asking(tmp_path, monkeypatch)


@pytest.mark.parametrize("path", ["/health/live", "/", "/shared", "/h.js", "/assets/none.js", "/api/analytics/sign-in"])
async def test_an_open_path_waits_for_no_look(asking: Asking, path: str) -> None:
    await asking.ask("GET", path)
    assert asking.looks == 0
    if path == "/health/live":
        assert asking.status == 200


async def test_another_host_waits_for_no_look(asking: Asking) -> None:
    await asking.ask("GET", "/api/analytics/summary", host=b"elsewhere.example")
    assert (asking.looks, asking.status) == (0, 421)


@pytest.mark.parametrize(("method", "path"), [("GET", "/api/analytics/summary"), ("POST", "/api/analytics/sign-out")])
async def test_what_needs_a_sign_in_waits_for_a_look(asking: Asking, method: str, path: str) -> None:
    await asking.ask(method, path)
    assert asking.looks >= 1
