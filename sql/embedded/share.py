"""The embedded PostgreSQL: one server per data directory, shared by every process that uses it.

Each user holds a shared lock on `users.lock`, which the kernel frees however the process ends. Starting and stopping
happen under an exclusive lock on `start.lock`. So no count can go stale.
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
from sql.embedded.folders import data_folder, socket_folder
from sql.embedded.postgres import DATABASE, PATIENCE_SECONDS, Answer, Postgres
from sql.errors import EmbeddedError


@dataclass(frozen=True)
class EmbeddedServer:
    """A share in a running server, held until `release`, which leaving it as a context manager does."""

    postgres: Postgres
    users: BinaryIO = field(repr=False)

    @property
    def url(self) -> str:
        """DSN of the database `hourledger`, for asyncpg and libpq."""
        return self.postgres.url(DATABASE)

    def database_url(self, database: str) -> str:
        """DSN of another database of this server; it need not exist."""
        return self.postgres.url(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        release(self)


def use(
    data_dir: Path, *, version: int = 18, settings: Mapping[str, str] | None = None, anew: bool = False
) -> EmbeddedServer:
    """Use the server of `data_dir`: make its data if there is none, start it if it does not run, else share it.

    Returns when the server answers, after crash recovery. A call that starts the server adds `settings` to those of
    embedded.conf. With `anew` it removes all data of `data_dir` first, unless another process uses them.
    Raises EmbeddedError.
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
                server.postgres.bring_up()
            except BaseException:
                _leave(server)
                raise
        return server


def ensure_running(server: EmbeddedServer) -> bool:
    """Start the server again if it died; True if this call did. Cheap enough to ask every second.

    Raises EmbeddedError.
    """
    with _one_line_errors():
        if server.users.closed:
            raise EmbeddedError("this share in the embedded PostgreSQL was released")
        if server.postgres.answer() == Answer.READY:
            return False
        with _starting(server.postgres.data_dir):
            return server.postgres.bring_up()


def release(server: EmbeddedServer) -> None:
    """Give the share back; the last to do so stops the server. Does nothing the second time. Raises EmbeddedError."""
    if not server.users.closed:
        with _one_line_errors(), _starting(server.postgres.data_dir):
            _leave(server)


def _remove_data(server: EmbeddedServer) -> None:
    if not _locked(server.users, fcntl.LOCK_EX):
        raise EmbeddedError(f"{server.postgres.data_dir} is in use by another process: stop it first")
    server.postgres.stop()  # a killed user leaves it running
    server.postgres.remove_data()
    fcntl.flock(server.users, fcntl.LOCK_SH)


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
                raise EmbeddedError(f"{data} is being started or stopped by another process for too long")
            time.sleep(0.02)
        yield


def _lock_file(path: Path) -> BinaryIO:
    # Python opens files so that child processes do not inherit them, and with them the lock.
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
