"""The HTTP server: granian, with as many workers as the settings say."""

from __future__ import annotations

import gc
import os
import resource
from contextlib import suppress

from granian import Granian
from granian.constants import HTTPModes, Interfaces, Loops
from granian.http import HTTP1Settings
from granian.log import LogLevels

from service.http import held_signals
from service.http.counts_folder import counts_folder
from service.settings import Settings
from service.settings.temporary import choose_temporary_folder

DRAIN_SECONDS = 15
# The longest that a connection may take to send a head, and so the longest that it may idle between two requests.
HEAD_SECONDS = 5
# The most bytes of a head. The server holds as much for each connection whose head is not complete.
MOST_HEAD_BYTES = 16_384
# The most connections of a worker. Further ones wait in the kernel until one of these ends.
MOST_CONNECTIONS = 10_000
# Files of a worker that are not connections of clients: those to PostgreSQL, counts, the loop's own.
OTHER_FILES = 256


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The server starts a worker that died again."""
    choose_temporary_folder(settings)
    with counts_folder() as folder:
        # All workers count into this folder, so that each can answer with the sums.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        os.register_at_fork(after_in_child=held_signals.hold)
        os.register_at_fork(after_in_child=gc.disable)  # until the worker has loaded; see worker.py
        held_signals.Server.pid = os.getpid()
        _serve(settings)


def _most_connections() -> int:
    """Raise the limit of open files as far as needed and allowed; return how many connections a worker may hold."""
    wanted = MOST_CONNECTIONS + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        # macOS may refuse a limit although it is below the hard one. The present limit is then the one to keep to.
        with suppress(ValueError, OSError):
            resource.setrlimit(
                resource.RLIMIT_NOFILE, (wanted if hard == resource.RLIM_INFINITY else min(hard, wanted), hard)
            )
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(1, min(MOST_CONNECTIONS, soft - OTHER_FILES))


def _serve(settings: Settings) -> None:
    Granian(
        "service.app:create",
        factory=True,
        address=settings.address(),
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        # HTTP/1 only: where both are possible, the server waits for ever for the first byte, which tells them apart.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1_000, max_buffer_size=MOST_HEAD_BYTES),
        websockets=False,
        backlog=4096,
        backpressure=_most_connections(),
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.warning,
    ).serve()
