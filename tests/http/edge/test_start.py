"""What `serve` prints when it starts, and what it keeps others from doing."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import httpx

from service.commands.serve import _about_pages
from service.settings import load
from sql.migrate import newest_version
from tests.conftest import RunningService, free_port
from tests.http.support.starting import line_of, start
from tests.support.environment import without_settings

KEY = {"HOURLEDGER_WRITE_KEY": "key-1"}
ORIGINS = {"HOURLEDGER_CORS_ORIGINS": "https://www.example.com"}


def test_the_address_and_the_line_for_pages_are_printed_once_it_can_be_reached(
    database_url: str, tmp_path: Path
) -> None:
    port = free_port()
    settings = {"DATABASE_URL": database_url, "HOURLEDGER_PORT": str(port), "HOURLEDGER_DATA_DIR": str(tmp_path)}
    settings["HOURLEDGER_WRITE_KEY"] = "key-1"
    serving = subprocess.Popen(
        [sys.executable, "-m", "service", "serve"], env=without_settings() | settings, stderr=subprocess.PIPE, text=True
    )
    try:
        assert serving.stderr is not None
        told = (line for line in serving.stderr if line.startswith("hourledger: "))
        line, address = next(told), next(told)
        socket.create_connection(("127.0.0.1", port)).close()
        assert address == f"hourledger: http://127.0.0.1:{port}\n"
        script = f'<script src="http://127.0.0.1:{port}/h.js" data-write-key="YOUR-WRITE-KEY" data-auto defer></script>'
        assert line == f"hourledger: to count page views, put {script} into your pages\n"
    finally:
        serving.terminate()
        serving.communicate(timeout=60)


def test_without_origins_or_a_key_serve_says_how_other_pages_may_send() -> None:
    told = [list(_about_pages(load(settings))) for settings in ({}, KEY, ORIGINS, KEY | ORIGINS)]
    assert [len(lines) for lines in told] == [2, 1, 1, 1]
    assert "HOURLEDGER_CORS_ORIGINS" in told[0][1]


def test_the_schema_is_not_taken_back_while_it_is_used(service: RunningService, database_url: str) -> None:
    for force in ((), ("--force",)):
        line = line_of(start("service", "rollback", *force, DATABASE_URL=database_url))
        assert "hourledger uses this database now" in line
        assert "stop the service first" in line
    with service.client() as client:
        assert client.get("/health/ready").status_code == httpx.codes.OK


def test_a_step_below_the_archive_says_that_its_folder_must_be_emptied(database_url: str, tmp_path: Path) -> None:
    settings = {"DATABASE_URL": database_url, "HOURLEDGER_ARCHIVE_DIR": str(tmp_path / "archive")}
    told: list[str] = []
    for _ in range(1 + newest_version() - 10):
        told = start("service", "rollback", "--force", **settings).stdout.splitlines()
    assert told[1] == f"rollback: empty {tmp_path / 'archive'}: nothing reads or deletes the archive's files any more"
