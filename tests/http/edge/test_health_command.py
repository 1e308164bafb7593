"""`python -m service health` asks a service as containers and monitors do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from service.commands.health import ask
from tests.conftest import free_port
from tests.http.support.site import Site
from tests.http.support.starting import start

LAG = '{"ok": true, "status": "degraded", "degraded": ["the projector is 7 events behind", "drifted: 1 hour"]}'
UNREADY = '{"ok": false, "error": {"code": "not_ready", "message": "events cannot be appended now"}}'


@contextmanager
def answering(status: int, body: str) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Give the URL of something that gives one answer, and the hosts and paths that it was asked for."""
    asked: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.headers["host"], self.path))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the standard library
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", asked
        finally:
            server.shutdown()
            thread.join()


def health(*options: str, **environment: str) -> tuple[int, str]:
    """Return the exit code of the command, and its one line."""
    ended = start("service", "health", *options, **environment)
    (line,) = (ended.stdout + ended.stderr).splitlines()
    return ended.returncode, line


def test_it_asks_where_the_settings_let_the_service_listen(guarded: Site) -> None:
    port = guarded.running.url.rpartition(":")[2]
    names = {"HOURLEDGER_PORT": port, "HOURLEDGER_ALLOWED_HOSTS": "stats.example.com,127.0.0.1"}
    code, line = health(**names)
    assert (code, line.partition(";")[0]) in [(0, "health: ready"), (0, "health: degraded")]
    everywhere = {"HOURLEDGER_HOST": "0.0.0.0"}  # noqa: S104  # nothing listens there
    assert health("--live", **names, **everywhere) == (0, "health: live")
    code, line = health("--live", HOURLEDGER_PORT=port, HOURLEDGER_ALLOWED_HOSTS="other.example")
    assert (code, "does not answer for the host 'other.example'" in line) == (1, True)


def test_a_service_that_is_not_there_is_unhealthy() -> None:
    url = f"http://127.0.0.1:{free_port()}"
    code, line = health("--url", url)
    assert code == 1
    assert line.startswith(f"health: {url} cannot be reached: ")


@pytest.mark.parametrize("url", ["stats.example.com", "ftp://stats.example.com", "https://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    ended = start("service", "health", "--url", url)
    assert ended.returncode == 2
    assert f"{url!r} does not begin with http:// or https:// and a name" in ended.stderr


@pytest.mark.parametrize(
    ("status", "body", "is_well", "said"),
    [
        (200, '{"ok": true, "status": "ready", "lag_events": 0}', True, "ready"),
        (200, LAG, True, "degraded; the projector is 7 events behind; drifted: 1 hour"),
        (503, UNREADY, False, "events cannot be appended now"),
        (502, "<h1>Bad Gateway</h1>", False, "HTTP 502, which is no answer of the service"),
        (404, "[]", False, "HTTP 404, which is no answer of the service"),
    ],
)
def test_it_says_what_the_service_says(status: int, body: str, *, is_well: bool, said: str) -> None:
    with answering(status, body) as (url, asked):
        assert ask(f"{url}/stats/", "ready") == (is_well, said)
        ask(url, "live", "stats.example.com")
    assert [path for _, path in asked] == ["/stats/health/ready", "/health/live"]
    assert asked[1][0] == "stats.example.com"
