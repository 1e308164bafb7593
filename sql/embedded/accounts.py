"""The operating-system user that the embedded PostgreSQL runs as."""

import fcntl
import os
import pwd
import shutil
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sql.errors import EmbeddedError

SYSTEM_USER = "hourledger"
PASSWD = Path("/etc/passwd")
# useradd exits with it while another process changes /etc/passwd.
USERADD_LOCKED = 1
USERADD_SECONDS = 10.0


@dataclass(frozen=True)
class Account:
    """An operating-system user."""

    name: str
    uid: int
    gid: int

    def run(self, *command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a command as this user, in a session of its own, so that Ctrl-C in a terminal does not reach it."""
        other = self.uid != os.geteuid()
        return subprocess.run(
            command,
            cwd=cwd,
            # Variables such as PGPORT would change what the server does. Messages must be English for code to read.
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
    """Return the account that runs the server: this process's own, or a system user when this process is root.

    PostgreSQL refuses to run as root. Raises EmbeddedError when there is no such account and none can be made.
    """
    if os.geteuid() != 0:
        return account_of(os.geteuid())
    with suppress(KeyError):
        return _named_account(SYSTEM_USER)
    with PASSWD.open() as passwd:
        # Two useradd at once both succeed, and the later one overwrites the earlier with another user id.
        fcntl.flock(passwd, fcntl.LOCK_EX)
        with suppress(KeyError):
            return _named_account(SYSTEM_USER)
        return _made_account()


def account_of(uid: int) -> Account:
    """Return the account of a user id. Raises EmbeddedError when the id has no name."""
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
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and there is no useradd to make the system user {SYSTEM_USER!r}: "
            "make that user, or set DATABASE_URL"
        )
    options = ("--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent")
    deadline = time.monotonic() + USERADD_SECONDS
    while True:
        made = account_of(0).run(useradd, *options, "--shell", "/usr/sbin/nologin", SYSTEM_USER, cwd=Path("/"))
        with suppress(KeyError):
            return _named_account(SYSTEM_USER)
        if made.returncode != USERADD_LOCKED or time.monotonic() > deadline:
            raise EmbeddedError(f"the system user {SYSTEM_USER!r} could not be made: {made.stderr.strip()}")
        time.sleep(0.1)
