"""What the package for Python makes of odd answers on the wire. A socket of this machine gives them."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import pytest
from hourledger_client.posting import post

REDIRECT = b"HTTP/1.1 302 Found\r\nLocation: %s/elsewhere\r\nContent-Length: 0\r\n\r\n"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\n{}"
CUT = b"HTTP/1.1 %d Why\r\nContent-Length: 900\r\n\r\n{"


@contextmanager
def answering(answer: bytes, asked: list[bytes]) -> Iterator[str]:
    """Give the address of a service that answers each request with these bytes, and ends the connection."""

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:  # the test is over
                return
            with connection:
                asked.append(connection.recv(65_536))
                connection.sendall(answer.replace(b"%s", address.encode()))

    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = Thread(target=serve, daemon=True)
        thread.start()
        yield address
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def test_a_redirect_is_named_and_not_followed() -> None:
    asked: list[bytes] = []
    with answering(REDIRECT, asked) as address, pytest.raises(OSError, match=r"redirects \(302\) to http.*/elsewhere"):
        post(f"{address}/e/batch", "hls_secret", b"[]", 10)
    assert [request.split(b" ")[:2] for request in asked] == [[b"POST", b"/e/batch"]]


@pytest.mark.parametrize("status", [200, 503])
def test_a_cut_answer_is_none(status: int) -> None:
    with answering(CUT % status, []) as address, pytest.raises(OSError, match="the answer broke off"):
        post(f"{address}/e/batch", "", b"[]", 10)


def test_a_refusal_is_an_answer() -> None:
    with answering(REFUSED, []) as address:
        status, headers, body = post(f"{address}/e/batch", "", b"[]", 10)
    assert (status, headers["content-length"], body) == (401, "2", b"{}")
