"""The embedded PostgreSQL by itself: its data, its configuration, its start and stop.

Only the server's user can enter the socket's folder, so an answer there comes from the server of this data directory.
Callers hold the lock of `sql.embedded.share` for every method that changes something.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from subprocess import CompletedProcess
from urllib.parse import quote

import psutil

from sql.durable import sync
from sql.embedded.accounts import Account, account_of
from sql.embedded.ballast import Ballast
from sql.embedded.configuration import DATABASE, ROLE, write_configuration
from sql.embedded.disk import LEAST_WAL, MIB, SEGMENT
from sql.embedded.folders import PORT, SOCKET_NAME, pgdata_name, private_folder
from sql.errors import EmbeddedError
from sql.statements import load
from sql.stopping import unbroken

LOCALES = {16: ("--locale=C",), 18: ("--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")}
# Crash recovery replays up to max_wal_size, which takes minutes on a slow disk.
PATIENCE_SECONDS = 600.0
# Children of a killed server end when they notice its death, or when they get a signal.
LEFTOVER_SECONDS = 60.0
# How long Ctrl-C waits while a server begins.
BEGIN_SECONDS = 5
TAIL_LINES = 20
NO_SPACE = "No space left on device"


class Answer(IntEnum):
    """The exit codes of pg_isready."""

    READY = 0
    NOT_NOW = 1
    NOBODY = 2


@dataclass(frozen=True)
class Postgres:
    """The server of one data directory, running or not."""

    data_dir: Path
    version: int
    settings: Mapping[str, str]
    account: Account
    binaries: Path
    socket_dir: Path

    @property
    def folder(self) -> Path:
        """PGDATA."""
        return self.data_dir / pgdata_name(self.version)

    @cached_property
    def ballast(self) -> Ballast:
        """The file that makes room for recovery on a full disk."""
        return Ballast(self.data_dir)

    def url(self, database: str) -> str:
        """Return the DSN of a database of this server, for asyncpg and libpq; the database need not exist."""
        return f"postgresql://{ROLE}@/{quote(database, safe='')}?host={quote(str(self.socket_dir))}&port={PORT}"

    def answer(self) -> Answer:
        """Return how the server answers a client now; wait up to 3 s."""
        code = self._run("pg_isready", "-q", "-d", self.url("postgres")).returncode
        return Answer(code) if code in (Answer.READY, Answer.NOT_NOW) else Answer.NOBODY

    def postmaster(self) -> psutil.Process | None:
        """Return the server's process, or None. After a kill, the pid in the pid file may be another process's."""
        try:
            process = psutil.Process(_pid_in(self.folder / "postmaster.pid"))
        except psutil.Error:
            return None
        return process if self._is_ours(process) else None

    def bring_up(self, *, alone: bool = False) -> bool:
        """Start the server unless it runs, and wait until it answers and has its database; return whether it started.

        alone: no other process uses the server. Then a database that a killed swap has left shut is opened again.
        Raises EmbeddedError when the server cannot start, or does not answer within 10 minutes.
        """
        self._initialise()
        started, since = False, time.monotonic()
        while (answer := self.answer()) != Answer.READY:
            waited = time.monotonic() - since
            if waited > PATIENCE_SECONDS:
                raise self._failed(f"PostgreSQL ({self.postmaster()}) has not answered for {waited:.0f} s")
            if answer == Answer.NOBODY and self.postmaster() is None:
                started = self._start(last_try=waited > LEFTOVER_SECONDS)
            time.sleep(0.02)
        self._make_database(alone=alone)
        return started

    def stop(self) -> None:
        """Stop the server if it runs. It disconnects its clients; committed data is on disk. Raises EmbeddedError."""
        if self.postmaster():
            stopped = self._run("pg_ctl", "stop", "-D", self.folder.name, "-m", "fast", *_patiently())
            if stopped.returncode and self.postmaster():
                raise self._failed("PostgreSQL did not stop", stopped.stderr)

    def mind_ballast(self) -> None:
        """Make the ballast when there is room; remove it when there is none left. The WAL's size follows."""
        if self.ballast.is_due() and (self.ballast.release() or self.ballast.make()):
            self._configure()
            self._run("pg_ctl", "reload", "-D", self.folder.name)

    def remove_data(self) -> None:
        """Remove PGDATA of a stopped server. PGDATA is renamed first, so that a kill leaves no half of it in place."""
        if os.path.lexists(self.folder):
            self.folder.rename(Path(tempfile.mkdtemp(prefix="initdb-", dir=self.data_dir)) / self.folder.name)
        self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        for left in self.data_dir.glob("initdb-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _run(self, program: str, *arguments: str) -> CompletedProcess[str]:
        # Run in the data directory, so that relative paths are enough: pg_ctl passes its paths to a shell unescaped.
        return self.account.run(self.binaries / program, *arguments, cwd=self.data_dir)

    def _is_ours(self, process: psutil.Process) -> bool:
        """Return whether this is a live process of this server: the postmaster or, after its death, a child."""
        try:
            named = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
            return named and Path(process.cwd()).samefile(self.folder)
        except (psutil.Error, OSError):
            return False

    def _initialise(self) -> None:
        if not os.path.lexists(self.folder):
            self._make_data()
        found = (private_folder(self.folder, self.account) / "PG_VERSION").read_text().strip()
        if found != str(self.version):
            raise EmbeddedError(f"{self.folder} holds data of PostgreSQL {found}, not {self.version}")

    def _make_data(self) -> None:
        """Make PGDATA elsewhere and rename it once it is complete, so that a kill leaves no half of it in place."""
        self._remove_leftovers()
        new = private_folder(Path(tempfile.mkdtemp(prefix="initdb-", dir=self.data_dir)), self.account)
        options = ("--encoding=UTF8", "--auth-local=peer", "--auth-host=reject", "--data-checksums")
        made = self._run("initdb", "-D", new.name, "-U", ROLE, *options, *LOCALES[self.version])
        if made.returncode:
            raise self._failed("initdb failed", made.stderr)
        new.rename(self.folder)
        sync(self.data_dir)

    def _make_database(self, *, alone: bool) -> None:
        tried = self._run("psql", "-X", "-w", "-c", "", "-d", self.url(DATABASE))
        if alone and "is not currently accepting connections" in tried.stderr:
            tried = self._run("psql", "-X", "-w", "-c", load().open_database, "-d", self.url("postgres"))
        if f'database "{DATABASE}" does not exist' in tried.stderr:
            tried = self._run("createdb", "-w", f"--maintenance-db={self.url('postgres')}", DATABASE)
        if tried.returncode:
            raise self._failed("PostgreSQL runs, but cannot be used", tried.stderr)

    def _start(self, *, last_try: bool) -> bool:
        """Start the server; return False when another try may succeed. Raises EmbeddedError.

        Remains of a killed server may be in the way for a while, and a full disk until the ballast is removed.
        """
        self.ballast.release_for_start()  # first, because even the configuration needs room
        private_folder(self.data_dir / "log", self.account).joinpath("start.log").unlink(missing_ok=True)
        self._configure()
        self._drop_false_locks()
        options = ("-D", self.folder.name, "-o", "-c config_file=postgresql.conf", "-l", "log/start.log")
        # A server that has just begun writes its pid file within this time; without it nobody could stop the server.
        with unbroken():
            started = self._run("pg_ctl", "start", *options, "-w", "-t", f"{BEGIN_SECONDS}")
        if started.returncode == 0 or self.postmaster():  # which recovers for longer
            return True
        tail = self._log_tail()
        if NO_SPACE in tail + started.stderr and self.ballast.release():
            return False
        children, starting = "pre-existing shared memory" in tail, 'lock file "' in tail
        if last_try or not (children or starting):
            raise self._failed("PostgreSQL did not start", tail or started.stderr)
        if children:
            for process in filter(self._is_ours, psutil.process_iter()):
                process.terminate()
        return False

    def _configure(self) -> None:
        sockets = '"' + str(self.socket_dir).replace('"', '""') + '"'
        # Absolute, because a reload would take a relative path for another file.
        access = {f"{kind}_file": str(self.data_dir / f"pg_{kind}.conf") for kind in ("hba", "ident")}
        given = {"unix_socket_directories": sockets, **access, "max_wal_size": self._most_wal(), **self.settings}
        users = {self.account.name, account_of(os.geteuid()).name}
        write_configuration(self.data_dir, self.folder.name, users, given)

    def _most_wal(self) -> str:
        """Return max_wal_size: little where the ballast had to go, so that the room lasts until there is more."""
        room = self.ballast.read(self.data_dir)
        scarce = room.free < room.needed and not room.held
        return f"{(LEAST_WAL if scarce else room.most_wal) // MIB}MB"

    def _drop_false_locks(self) -> None:
        """Remove lock files that name a live process of another program, which PostgreSQL would take for a server.

        PostgreSQL itself ignores a lock file of a dead process. Its lock on shared memory needs no such file.
        """
        for lock in (self.folder / "postmaster.pid", self.socket_dir / f"{SOCKET_NAME}.lock"):
            pid = _pid_in(lock)
            if pid == 0 or psutil.pid_exists(pid):
                lock.unlink(missing_ok=True)

    def _log_tail(self) -> str:
        logs = sorted(self.data_dir.glob("log/*.log"), key=lambda log: log.stat().st_mtime)
        return "\n".join(logs[-1].read_text(errors="replace").splitlines()[-TAIL_LINES:]) if logs else ""

    def _failed(self, what: str, said: str = "") -> EmbeddedError:
        lines = said.strip().splitlines()
        fatal = [line for line in lines if "FATAL" in line]
        free = self.ballast.read(self.data_dir).free
        disk = [f"the disk of {self.data_dir} has {free:,} bytes free: free space there"] if free < SEGMENT else []
        reason = "; ".join(disk + fatal[-1:] or lines[-1:] or ["no reason given"])
        return EmbeddedError(f"{what}: {reason} (log: {self.data_dir / 'log'})", log_tail=self._log_tail())


def _patiently() -> tuple[str, ...]:
    return "-w", "-t", f"{PATIENCE_SECONDS:.0f}"


def _pid_in(lock: Path) -> int:
    """Return the process id in a lock file of PostgreSQL; 0 when there is no file, or no number in it."""
    try:
        return abs(int(lock.read_text().partition("\n")[0]))
    except (OSError, ValueError):
        return 0
