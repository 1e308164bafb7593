"""The embedded PostgreSQL: one server per data directory, shared by every process that uses it.

Each user holds a shared lock on `users.lock`, so no count of users can go stale: the kernel frees the lock however the
process ends. A process starts or stops the server only under an exclusive lock on `start.lock`.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from sql.embedded.accounts import server_account
from sql.embedded.binaries import binaries
from sql.embedded.configuration import DATABASE
from sql.embedded.folders import data_folder, socket_folder
from sql.embedded.postgres import PATIENCE_SECONDS, Answer, Postgres
from sql.errors import EmbeddedError
from sql.stopping import unbroken


@dataclass(frozen=True)
class EmbeddedServer:
    """A share in a running server. `release`, or leaving the context manager, gives it back.

    database: the one that `url` leads to.
    """

    postgres: Postgres
    users: BinaryIO = field(repr=False)
    database: str = DATABASE

    @property
    def url(self) -> str:
        """Return the DSN of the database, for asyncpg and libpq."""
        return self.postgres.url(self.database)

    def database_url(self, database: str) -> str:
        """Return the DSN of another database of this server; the database need not exist."""
        return self.postgres.url(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        release(self)


def use(
    data_dir: Path, *, version: int = 18, settings: Mapping[str, str] | None = None, anew: bool = False
) -> EmbeddedServer:
    """Return a share in the server of `data_dir`. Make its data when there is none; start it unless it runs.

    Returns once the server answers, after crash recovery. A call that starts the server adds `settings` to those of
    embedded.conf. With `anew`, all data of `data_dir` is removed first. Raises EmbeddedError, also when `anew` is given
    and another process uses the data.
    """
    with _one_line_errors():
        account = server_account()
        data = data_folder(data_dir, version, account)
        with _starting(data):
            sockets, programs = socket_folder(data, account), binaries(data, version, account)
            postgres = Postgres(data, version, settings or {}, account, programs, sockets)
            server = EmbeddedServer(postgres, _users(data))
            try:
                if anew:
                    _remove_data(server)
                server.postgres.bring_up(alone=_is_alone(server))
            except BaseException:
                with unbroken():
                    _leave(server)
                raise
        return server


def ensure_running(server: EmbeddedServer) -> bool:
    """Start the server again if it died; return whether this call started it. Cheap enough to call every second.

    Raises EmbeddedError.
    """
    with _one_line_errors():
        if server.users.closed:
            raise EmbeddedError("this share in the embedded PostgreSQL has been released: call `use` for a new one")
        if server.postgres.answer() == Answer.READY:
            return False
        with _starting(server.postgres.data_dir):
            return server.postgres.bring_up()


def mind_ballast(server: EmbeddedServer) -> bool:
    """Make or remove the ballast as the disk's room asks for. Return whether it is there. Raises EmbeddedError.

    It is for services that run for long: a start on a full disk removes the ballast. Cheap enough to call every second.
    """
    with _one_line_errors():
        ballast = server.postgres.ballast
        if ballast.is_due():
            with _starting(server.postgres.data_dir):
                server.postgres.mind_ballast()
        return ballast.file.exists()


def release(server: EmbeddedServer) -> None:
    """Give the share back; the last release stops the server. A second call does nothing. Raises EmbeddedError."""
    if not server.users.closed:
        with unbroken(), _one_line_errors(), _starting(server.postgres.data_dir):
            _leave(server)


def _remove_data(server: EmbeddedServer) -> None:
    if not _locked(server.users, fcntl.LOCK_EX):
        raise EmbeddedError(f"{server.postgres.data_dir} is in use by another process: stop it first")
    server.postgres.stop()  # it still runs when its last user was killed
    server.postgres.remove_data()
    fcntl.flock(server.users, fcntl.LOCK_SH)


def _is_alone(server: EmbeddedServer) -> bool:
    alone = _locked(server.users, fcntl.LOCK_EX)
    fcntl.flock(server.users, fcntl.LOCK_SH)  # also after a refusal, which may have given the shared lock up
    return alone


def _leave(server: EmbeddedServer) -> None:
    with server.users:
        if _locked(server.users, fcntl.LOCK_EX):
            server.postgres.stop()


def _users(data: Path) -> BinaryIO:
    users = _lock_file(data / "users.lock")
    fcntl.flock(users, fcntl.LOCK_SH)
    return users


@contextmanager
def _starting(data: Path) -> Iterator[None]:
    with _lock_file(data / "start.lock") as lock:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _locked(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise EmbeddedError(
                    f"another process has been starting or stopping the server of {data} for {PATIENCE_SECONDS:.0f} s"
                )
            time.sleep(0.02)
        yield


def _lock_file(path: Path) -> BinaryIO:
    # Child processes inherit neither the file nor its lock: Python opens files that way.
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b")


def _locked(lock: BinaryIO, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EmbeddedError(f"embedded PostgreSQL: {error}") from error
