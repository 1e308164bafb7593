"""Folders that workers left behind are removed; those of others are not touched."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from service.archive import scratch
from service.archive.scratch import LOCK, PREFIX, Scratch, sweep


def folder_in(base: Path, name: str, mode: int = 0o700) -> Path:
    folder = base / f"{PREFIX}{name}"
    folder.mkdir()
    folder.chmod(mode)
    return folder


def test_only_folders_of_ones_own_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    left = folder_in(tmp_path, "left")
    open_to_all = folder_in(tmp_path, "open", 0o777)
    linked = tmp_path / f"{PREFIX}link"
    linked.symlink_to(elsewhere)
    trap = folder_in(tmp_path, "trap")
    (trap / LOCK).symlink_to(elsewhere / "made")
    sweep(tmp_path)
    assert not left.exists()
    assert open_to_all.is_dir()
    assert linked.is_symlink()
    assert list(elsewhere.iterdir()) == []
    assert list(open_to_all.iterdir()) == []
    foreign = folder_in(tmp_path, "foreign")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    sweep(tmp_path)
    assert list(foreign.iterdir()) == []


def test_a_folder_that_cannot_be_locked_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(scratch, "_lock", full)
    with pytest.raises(OSError, match="No space"):
        Scratch(tmp_path).new_folder()
    assert list(tmp_path.iterdir()) == []
