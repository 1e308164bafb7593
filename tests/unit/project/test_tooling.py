"""The tools around the code: lock files, and the arguments that make passes to the commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
from itertools import chain
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from service.web.assets import PARTS

ROOT = Path(__file__).parents[3]
LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-node.lock")
ASSETS = ("package-lock.json", "service/web/assets.py", *(f"service/web/client/{part}" for part in PARTS))
TARGETS = [
    *(
        "backup",
        "bench",
        "bench-quick",
        "check",
        "demo",
        "export",
        "faults",
        "help",
        "import",
        "lint",
        "log-head",
        "migrate",
        "rebuild-projections",
    ),
    *("restore", "retention", "rollback", "serve", "setup", "test", "undrop", "upgrade", "verify"),
]

# Stands in for .venv/bin/python: prints its arguments and exits with the status that a test sets.
ECHO = """#!/bin/sh
printf '%s\\n' "$@"
exit "${STATUS:-0}"
"""
# Stands in for it, too: runs the commands of this checkout.
REAL = f"""#!/bin/sh
cd {ROOT} && exec {sys.executable} "$@"
"""


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ]+)", (ROOT / lock).read_text(), re.MULTILINE))


def ranges() -> tuple[list[str], list[str], list[str]]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    groups = project["dependency-groups"]
    return project["project"]["dependencies"], groups["dev"], groups["node"]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_address_and_hashes_every_package(lock: str) -> None:
    text = (ROOT / lock).read_text()
    assert not re.search(r"://|^--|\.(org|com|net|io)\b", text, re.MULTILINE)
    for entry in re.split(r"\n(?=[a-z])", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_the_locks_satisfy_the_ranges() -> None:
    run, dev, node = ranges()
    for lock, declared in zip(LOCKS, (run, run + dev, node), strict=True):
        pinned = pins(lock)
        for requirement in map(Requirement, declared):
            assert requirement.specifier.contains(pinned[requirement.name]), f"{requirement} in {lock}"


def test_the_development_lock_holds_what_extras_need() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert extras.keys() == {"apprise", "parquet"}
    pinned = pins("requirements-dev.lock")
    for requirement in map(Requirement, chain(*extras.values())):
        assert requirement.specifier.contains(pinned[requirement.name])
        assert requirement.name not in pins("requirements.lock")


def test_the_development_lock_holds_the_other() -> None:
    assert pins("requirements.lock").items() <= pins("requirements-dev.lock").items()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a folder in which set-up is done and every command only prints its arguments."""
    for name in ("Makefile", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(ROOT / name, tmp_path)
    python = tmp_path / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text(ECHO)
    python.chmod(0o755)
    for name in ASSETS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "requirements.lock", tmp_path / ".venv/installed.lock")
    (tmp_path / "service/web/vendor").mkdir()
    shutil.copy(ROOT / "package-lock.json", tmp_path / "service/web/vendor/installed.lock")
    return tmp_path


def make(project: Path, *arguments: str, status: int = 0) -> tuple[int, list[str]]:
    """Run make; return its status and the lines of its output."""
    done = made(project, *arguments, status=status)
    return done.returncode, done.stdout.splitlines()


def made(project: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    """Run make as a user does, without the variables of a make that may run the tests."""
    environment = {"PATH": "/usr/bin:/bin:/usr/local/bin", "STATUS": str(status)}
    return subprocess.run(
        ["make", *arguments], cwd=project, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_help_lists_every_target(project: Path) -> None:
    _, lines = make(project, "help")
    assert sorted(line.split()[1] for line in lines) == TARGETS
    assert make(project)[1] == lines


def test_set_up_that_is_done_runs_nothing(project: Path) -> None:
    (project / "requirements.lock").touch()
    assert make(project, "setup") == (0, ["setup: .venv is ready"])


def test_tools_are_installed_only_for_what_needs_them(project: Path) -> None:
    tools = ["-m", "pip", "install", "--quiet", "--require-hashes", "requirements-dev.lock"]
    for target in ("serve", "demo", "import", "verify", "backup", "migrate"):
        assert "pip" not in make(project, target)[1]
    for target in ("test", "bench", "faults"):
        (project / ".venv/installed-dev.lock").unlink(missing_ok=True)
        done = made(project, target)
        assert [word for word in done.stderr.splitlines() if word in tools] == tools
        (project / "requirements-dev.lock").touch()
        assert "pip" not in made(project, target).stderr


@pytest.mark.parametrize("name", ASSETS)
def test_assets_are_installed_when_what_they_are_made_of_has_changed(project: Path, name: str) -> None:
    later = time.time() + 60
    os.utime(project / name, (later, later))
    assert make(project, "setup")[1] == ["-m", "service.web.assets", "setup: .venv is ready"]


@pytest.mark.parametrize(("status", "seen"), [(0, 0), (1, 1), (2, 2), (130, 2)])
def test_verify_keeps_the_exit_status(project: Path, status: int, seen: int) -> None:
    assert make(project, "verify", "JSON=1", status=status) == (seen, ["-m", "projections", "verify", "--json"])


def test_a_failed_set_up_is_not_a_finding(project: Path) -> None:
    shutil.rmtree(project / ".venv")
    (project / "requirements.lock").write_text("not a lock\n")
    for name in ("python3", "python3.11", "python3.12", "python3.13"):
        python = project / name
        python.write_text("#!/bin/sh\nexit 1\n")
        python.chmod(0o755)
    assert make(project, "verify", f"PATH={project}:/usr/bin:/bin") == (2, [])


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["import"], "Missing argument FILE=;"),
        (["import", "FILE=none.json"], "Invalid value for FILE=: File 'none.json' does not exist;"),
        (["import", "FILE=DATA"], "Invalid value for FILE=: File 'DATA' does not exist;"),
        (["export"], "Missing option FILE=;"),
        (["import", "FILE=Makefile", "SHIFT_TO=then"], "Invalid value for SHIFT_TO=: 'then': "),
        (["retention", "UNKNOWN=1", "FORCE=1"], ""),
    ],
)
def test_an_error_speaks_of_what_was_typed_and_make_adds_nothing(project: Path, typed: list[str], said: str) -> None:
    (project / ".venv/bin/python").write_text(REAL)
    done = made(project, *typed, "DATABASE_URL=postgresql://127.0.0.1:1/nothing")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (1, "")
    assert line.startswith(f"error: {said}")
    assert "python" not in line
    assert (f"make help lists what make {typed[0]} takes" in line) == bool(said)


def test_with_n_nothing_runs(project: Path) -> None:
    for target in ("serve", "verify"):
        (line,) = made(project, "-n", target).stdout.splitlines()
        assert line.startswith(".venv/bin/python -m ")


def test_values_arrive_as_typed(project: Path) -> None:
    odd = """it's "2018"; $HOME $(shell echo x) `id` \\ # é"""
    assert make(project, "verify", f"FROM={odd}", "TO=x=y")[1][3:] == ["--from", odd, "--to", "x=y"]
    assert make(project, "import", f"FILE={odd}", "SHIFT_TO=now", "DRY_RUN=1")[1][2:] == [
        "import", "--shift-to", "now", "--dry-run", "--", odd
    ]  # fmt: skip
    options = ("OF=events", "FORMAT=csv", "FROM=a", "TO=b", f"FILTER=where={odd}", "RECEIVED_AT=1", "FORCE=1")
    assert make(project, "export", *options, f"FILE={odd}")[1][2:] == [
        *("export", "--format", "csv", "--of", "events", "--from", "a", "--to", "b"),
        *("--filter", f"where={odd}", "--received-at", "--force", "--output", odd),
    ]
    assert make(project, "backup", f"FILE={odd}")[1][2:] == ["backup", "--", odd]
    assert make(project, "restore", f"FILE={odd}")[1][2:] == ["restore", "--", odd]
    assert make(project, "upgrade", "NO_BACKUP=1", "FORCE=1", f"FILE={odd}")[1][2:] == [
        "upgrade",
        "--no-backup",
        "--force",
        "--",
        odd,
    ]
    assert make(project, "upgrade")[1][2:] == ["upgrade"]


def test_a_flag_that_is_zero_is_off(project: Path) -> None:
    assert make(project, "rollback", "FORCE=1")[1] == ["-m", "service", "rollback", "--force"]
    assert make(project, "rollback", "FORCE=0")[1] == ["-m", "service", "rollback"]
