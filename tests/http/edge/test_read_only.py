"""A system of which nothing can be written to but the data directory, such as a container with a read-only root."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest

from tests.conftest import RunningService, folder_for_servers, free_port, wait_until_ready
from tests.http.support.starting import line_of
from tests.support import plain_http
from tests.support.environment import without_settings

# Makes every file system read-only for this process and its children, except for the folder $1.
READ_ONLY = """
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
findmnt -rno TARGET | grep -vx -e "$1" -e '/proc.*' -e '/sys.*' | while read -r target; do
  mount -o remount,bind,ro "$target"
done
shift
exec "$@"
"""
TRIED = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False) if os.geteuid() == 0 else None
pytestmark = pytest.mark.skipif(
    TRIED is None or TRIED.returncode != 0, reason="needs root and a mount namespace, to make folders read-only"
)


def read_only_but(folder: Path) -> Sequence[str]:
    """Return the command that serves with everything read-only but a folder."""
    return [
        "unshare",
        "--mount",
        "bash",
        "-c",
        READ_ONLY,
        "bash",
        str(folder),
        sys.executable,
        "-m",
        "service",
        "serve",
    ]


def settings(port: int, data: Path, **others: str) -> dict[str, str]:
    usual = {name: value for name, value in without_settings().items() if name not in ("TMPDIR", "TEMP", "TMP")}
    return usual | {"HOURLEDGER_PORT": str(port), "HOURLEDGER_DATA_DIR": str(data)} | others


def test_the_service_needs_no_other_folder_than_its_data(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with folder_for_servers() as folder, log.open("wb") as output:
        command = read_only_but(folder)
        process = subprocess.Popen(command, env=settings(port, folder / "data"), stdout=output, stderr=output)
        try:
            wait_until_ready(RunningService(f"http://127.0.0.1:{port}", process, log, folder / "data"))
            assert plain_http.get(f"http://127.0.0.1:{port}/metrics").status_code == httpx.codes.OK
        finally:
            process.terminate()
            process.wait(120)
        assert not list(folder.glob("data/hourledger-metrics-*"))


def test_without_a_folder_to_write_to_it_says_so_and_ends(tmp_path: Path, database_url: str) -> None:
    environment = settings(free_port(), tmp_path / "none", DATABASE_URL=database_url)
    (tmp_path / "other").mkdir()
    ended = subprocess.run(
        read_only_but(tmp_path / "other"), env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    line = line_of(ended)
    assert "no folder for temporary files can be written to: make /tmp or HOURLEDGER_DATA_DIR" in line
    assert "TMPDIR" in line
