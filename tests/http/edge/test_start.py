"""What `serve` prints when it starts."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from tests.conftest import free_port
from tests.support.environment import without_settings


def test_the_address_is_printed_once_it_can_be_reached(database_url: str, tmp_path: Path) -> None:
    port = free_port()
    settings = {"DATABASE_URL": database_url, "HOURLEDGER_PORT": str(port), "HOURLEDGER_DATA_DIR": str(tmp_path)}
    serving = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], env=without_settings() | settings, stderr=subprocess.PIPE, text=True
    )
    try:
        assert serving.stderr is not None
        line = next(line for line in serving.stderr if line.startswith("hourledger: "))
        socket.create_connection(("127.0.0.1", port)).close()
        assert line == f"hourledger: http://127.0.0.1:{port}\n"
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
