"""The folder of a demo's data: the demo takes one that is missing, empty or its own, and touches no other."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from service.demo.folder import MARK, MARKER, claim, usual_demo_dir
from service.settings import SettingsError, load, usual_data_dir


def test_a_folder_that_is_missing_or_empty_becomes_a_demo_and_remains_one(tmp_path: Path) -> None:
    for folder in (tmp_path / "new" / "demo", tmp_path / "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        claim(folder)
        assert (folder / MARKER).read_text() == MARK
        (folder / "postgresql-18").mkdir()
        claim(folder)
    assert (tmp_path / "new" / "demo").stat().st_mode & 0o777 == (0o711 if os.geteuid() == 0 else 0o700)


@pytest.mark.parametrize("stranger", ["notes.txt", MARKER, "link"])
def test_a_folder_that_holds_anything_else_is_left_alone(tmp_path: Path, stranger: str) -> None:
    (tmp_path / "target").write_text(MARK)
    folder = tmp_path / "data"
    folder.mkdir()
    if stranger == "link":
        (folder / MARKER).symlink_to(tmp_path / "target")
    else:
        (folder / stranger).write_text("mine")
    before = sorted((path.name, path.read_text()) for path in folder.iterdir())
    with pytest.raises(SettingsError, match=r"HOURLEDGER_DATA_DIR=.*choose another"):
        claim(folder)
    assert sorted((path.name, path.read_text()) for path in folder.iterdir()) == before


def test_the_folder_of_serve_is_refused_even_when_it_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(tmp_path)
    for name in ("hourledger", "./hourledger", "link/hourledger"):
        with pytest.raises(SettingsError, match="HOURLEDGER_DATA_DIR"):
            claim(Path(name))
    assert not (tmp_path / "hourledger").exists()


def test_the_data_of_a_checkout_is_the_users_unless_a_former_release_made_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.chdir(tmp_path)
    for state, found in (("/state", "/state"), ("relative", "/home/somebody/.local/state")):
        monkeypatch.setenv("XDG_STATE_HOME", state)
        assert usual_data_dir() == f"{found}/hourledger"
    (tmp_path / ".data").mkdir()
    assert usual_data_dir() != ".data"
    (tmp_path / ".data/postgresql-18").mkdir()
    assert usual_data_dir() == ".data"


def test_a_place_that_cannot_be_made_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="HOURLEDGER_DATA_DIR"):
        claim(tmp_path / "file" / "demo")


@pytest.mark.parametrize(("uid", "serve", "demo"), [
    (0, "/var/lib/hourledger", "/var/lib/hourledger-demo"), (1000, "/state/hourledger", ".demo"),
])  # fmt: skip
def test_a_demo_has_a_folder_of_its_own_unless_told(
    uid: int, serve: str, demo: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert (usual_data_dir(), usual_demo_dir()) == (serve, demo)
    assert load({}).data_dir == Path(serve)
    assert load({}, data_dir=usual_demo_dir()).data_dir == Path(demo)
    assert load({"HOURLEDGER_DATA_DIR": "other"}, data_dir=usual_demo_dir()).data_dir == Path("other")
