"""The folders of the embedded PostgreSQL: its data, and its socket."""

import hashlib
import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from sql.embedded.accounts import Account
from sql.errors import EmbeddedError

PORT = 5432
SOCKET_NAME = f".s.PGSQL.{PORT}"
# sun_path holds 104 bytes on macOS and 108 on Linux, the final NUL included.
SOCKET_PATH_BYTES = 103
# Not $TMPDIR: every process must find the same folder, whatever its environment.
TEMPORARY = Path("/tmp")  # noqa: S108


def pgdata_name(version: int | str) -> str:
    """Return the name of PGDATA in the data directory, which holds data of one version only."""
    return f"postgresql-{version}"


def has_data(path: Path) -> bool:
    """Return whether a data directory holds a database, of any version. True when this user may not look into it."""
    try:
        return any(entry.name.startswith(pgdata_name("")) for entry in path.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return False
    except PermissionError:
        return True


def data_folder(path: Path, version: int, account: Account) -> Path:
    """Return the data directory, absolute, and make it when missing.

    Raises EmbeddedError when other users could write to it, the server could not enter it, or it holds another version;
    then it removes the folders that it made.
    """
    folder = path.resolve()
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        if missing:
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700 if account.uid == os.geteuid() else 0o711)
        _check_data(folder, version, account)
    except (EmbeddedError, OSError):
        for made in missing:
            with suppress(OSError):
                made.rmdir()
        raise
    return folder


def _check_data(folder: Path, version: int, account: Account) -> None:
    _check(folder, owners={os.geteuid()}, forbidden=0o022)
    other = account.uid != os.geteuid()
    if other and account.run("/bin/sh", "-c", 'cd "$1"', "sh", folder, cwd=Path("/")).returncode:
        raise EmbeddedError(
            f"the system user {account.name!r} cannot enter {folder}: "
            "chmod o+x it and the folders above it, or set HOURLEDGER_DATA_DIR to another folder"
        )
    for found in folder.glob(pgdata_name("[0-9]*")):
        if found.name != pgdata_name(version):
            raise EmbeddedError(f"this data directory is not for PostgreSQL {version}: it holds {found}")


def private_folder(path: Path, account: Account) -> Path:
    """Make a folder that only `account` (and root) can enter, unless it exists; return it.

    Raises EmbeddedError when the path is not a folder, belongs to another user, or is open to other users.
    """
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
    """Return the private folder of the socket: in the data directory, or in /tmp when clients cannot use that path."""
    folder = data / "run"
    # A comma ends a host name in a connection string.
    if len(os.fsencode(folder / SOCKET_NAME)) > SOCKET_PATH_BYTES or "," in str(folder):
        folder = TEMPORARY.resolve() / f"hourledger-{account.uid}-{_short_name(data)}"
    return private_folder(folder, account)


def is_of(url: str, data: Path) -> bool:
    """Return whether a URL leads to the embedded server of a data directory, by the folder of its socket."""
    folder = Path(parse_qs(urlsplit(url).query).get("host", [""])[0])
    short = folder.parent == TEMPORARY.resolve() and folder.name.endswith(_short_name(data.resolve()))
    return short or folder == data.resolve() / "run"


def _short_name(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
