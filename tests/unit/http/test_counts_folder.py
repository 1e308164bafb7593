"""The folder of counts goes with its server, even when that was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from service.http import counts_folder as module
from service.http.counts_folder import counts_folder

SERVER = """
import time
from service.http.counts_folder import counts_folder
with counts_folder() as folder:
    print(folder, flush=True)
    time.sleep(60)
"""


def test_it_is_in_memory_unless_a_place_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY", str(tmp_path))
    monkeypatch.delenv("TMPDIR", raising=False)
    with counts_folder() as folder:
        assert Path(folder).parent == tmp_path


@pytest.mark.parametrize("place", ["the same place", "memory"])
def test_the_folder_of_a_killed_server_goes_with_the_next_start_wherever_that_counts(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    tmp_path, memory = tmp_path_factory.mktemp("temporary"), tmp_path_factory.mktemp("memory")
    monkeypatch.setattr(module, "MEMORY", str(memory))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        left = Path(server.stdout.readline().strip())
        with counts_folder() as folder:
            assert {left, Path(folder)} == set(tmp_path.iterdir())
        assert set(tmp_path.iterdir()) == {left}
        server.send_signal(signal.SIGKILL)
        server.wait()
    if place == "memory":
        monkeypatch.delenv("TMPDIR")
    with counts_folder() as folder:
        assert {*tmp_path.iterdir(), *memory.iterdir()} == {Path(folder)}
    assert {*tmp_path.iterdir(), *memory.iterdir()} == set()
