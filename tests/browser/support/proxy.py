"""A website of its own origin, with a proxy to a service under a prefix, as a visitor's browser meets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

from tests.http.support.site import Site

# Headers of one connection.
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "date", "server"}


@dataclass
class Website:
    """The origin of a website, its pages by path, the paths that were asked for, and the statuses that were answered.

    prefix: what begins with it goes to the service, as it is if `keeps`, else without the prefix.
    gates: paths that are answered once their event is set.
    """

    service: str
    prefix: str = ""
    keeps: bool = False
    pages: dict[str, str] = field(default_factory=dict)
    gates: dict[str, Event] = field(default_factory=dict)
    answered: list[tuple[str, int]] = field(default_factory=list)
    origin: str = ""

    def failed(self) -> list[tuple[str, int]]:
        """Return the requests that were refused."""
        return [(path, status) for path, status in self.answered if status >= 400]

    def was_asked(self, path: str) -> bool:
        return any(asked == path for asked, _ in self.answered)


class _Handler(BaseHTTPRequestHandler):
    website: Website

    def do_GET(self) -> None:
        website = self.website
        if website.prefix and self.path.startswith(website.prefix):
            self._pass_on()
            return
        if gate := website.gates.get(self.path):
            gate.wait(60)
        html = website.pages.get(self.path.partition("?")[0])
        self._begin(200 if html or self.path.startswith("/said") else 404, [("content-type", "text/html")])
        self.wfile.write((html or "").encode())

    do_POST = do_HEAD = do_PUT = do_DELETE = do_GET  # noqa: N815  # the names in the standard library

    def _pass_on(self) -> None:
        connection = HTTPConnection("127.0.0.1", urlsplit(self.website.service).port, timeout=60)
        path = self.path if self.website.keeps else self.path.removeprefix(self.website.prefix)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with closing(connection):
            connection.request(self.command, path, body, headers)
            answer = connection.getresponse()
            self._begin(answer.status, [each for each in answer.getheaders() if each[0].lower() not in HOP_BY_HOP])
            while part := answer.read1():
                self.wfile.write(part)
                self.wfile.flush()

    def _begin(self, status: int, headers: list[tuple[str, str]]) -> None:
        self.website.answered.append((self.path, status))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name in the standard library
        pass

    def handle(self) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # the browser closes streams
            super().handle()


@contextmanager
def website(site: Site, prefix: str = "", *, keeps: bool = False) -> Iterator[Website]:
    """Run a website until the block ends."""
    made = Website(site.running.url, prefix, keeps)
    handler = type("Handler", (_Handler,), {"website": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        made.origin = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            for gate in made.gates.values():
                gate.set()
            server.shutdown()
            thread.join()
