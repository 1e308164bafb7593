"""What `serve` prints when it starts, and what it keeps others from doing."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx

from tests.conftest import RunningService, free_port
from tests.http.support.starting import line_of, start
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


def test_the_schema_is_not_taken_back_while_it_is_used(service: RunningService, database_url: str) -> None:
    for force in ((), ("--force",)):
        line = line_of(start("service", "rollback", *force, DATABASE_URL=database_url))
        assert "hourledger uses this database now" in line
        assert "stop the service first" in line
    with service.client() as client:
        assert client.get("/health/ready").status_code == httpx.codes.OK
