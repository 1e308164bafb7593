"""Many connections to a service at once, which send what a test says and then nothing."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

FILES = 256


@contextmanager
def connections(url: str, number: int, first: bytes = b"") -> Iterator[list[socket.socket]]:
    """Open connections to the service and send the same bytes over each; close them at the end of the block."""
    _allow_files(number + FILES)
    port = urlsplit(url).port
    with ExitStack() as opened:
        held = []
        for _ in range(number):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            connection.sendall(first)
            held.append(connection)
        yield held


def _allow_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def open_of(held: list[socket.socket]) -> list[socket.socket]:
    """Return the connections that the service has not closed; throw away what it sent."""
    return [each for each in held if not is_closed(each)]


def is_closed(connection: socket.socket) -> bool:
    """Tell whether the service has closed a connection; throw away what it sent before."""
    connection.setblocking(False)
    try:
        while connection.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
    return True
