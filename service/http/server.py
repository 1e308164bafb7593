"""The HTTP server: granian, with as many workers as the settings say."""

from __future__ import annotations

import os
from tempfile import TemporaryDirectory

from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels

from service.http import held_signals
from service.settings import Settings

DRAIN_SECONDS = 15


def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. The server starts a worker that died again."""
    with TemporaryDirectory(prefix="hourledger-metrics-") as folder:
        # All workers count into this folder, so that each can answer with the sums; see service/http/metrics.py.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        os.register_at_fork(after_in_child=held_signals.hold)
        held_signals.Server.pid = os.getpid()
        _serve(settings)


def _serve(settings: Settings) -> None:
    Granian(
        "service.app:create",
        factory=True,
        address=settings.address(),
        port=settings.port,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        loop=Loops.uvloop,
        websockets=False,
        backlog=4096,
        backpressure=2048,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_SECONDS,
        log_level=LogLevels.warning,
    ).serve()
