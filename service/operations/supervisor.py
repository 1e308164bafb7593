"""`make serve`: starts embedded PostgreSQL, migrates, and keeps two processes running, the projector and HTTP."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from service.settings import Settings, SettingsError
from service.settings.temporary import choose_temporary_folder
from sql.clocks import read_clocks
from sql.database import Database
from sql.days import make_days
from sql.embedded.share import EmbeddedServer, ensure_running, mind_ballast, use
from sql.errors import EmbeddedError, Unavailable, Unreachable
from sql.migrate import Migration, migrate
from sql.retention import Retention, advance, lock_warnings, record_retention

WATCH_SECONDS = 1.0
# How often to look whether the port accepts connections.
LOOK_SECONDS = 0.05
LONGEST_PAUSE = 10.0
# Long enough for the appender to drain its queue into a slow database.
STOP_SECONDS = 20.0

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the service, and the command that runs it."""

    name: str
    module: str
    command: str
    options: tuple[str, ...] = ()


PARTS = (Part("http", "service", "http"), Part("projector", "projections", "follow"))


def supervise(settings: Settings, ready: Callable[[], None]) -> None:
    """Run the whole service until SIGINT or SIGTERM. Call `ready` when the port accepts connections.

    Raises SettingsError when the port is taken, and sql.errors.EmbeddedError or sql.errors.DatabaseError when
    the database cannot be made ready.
    """
    check_port(settings)
    if settings.database_url is not None:
        asyncio.run(_run_parts(settings, settings.database_url, None, ready))
        return
    with use(settings.data_dir) as embedded:
        asyncio.run(_run_parts(settings, embedded.url, embedded, ready))


def check_port(settings: Settings) -> None:
    """Refuse a port that is taken. The HTTP server would share it with a stranger, because workers share their port."""
    address = settings.address()
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.create_server((address, settings.port), family=family):
            pass
    except OSError as error:
        raise SettingsError(
            f"the service cannot listen on HOURLEDGER_PORT={settings.port}: {os.strerror(error.errno or 0)};"
            " stop the program that uses it, or set another HOURLEDGER_PORT"
        ) from error


async def _run_parts(settings: Settings, url: str, embedded: EmbeddedServer | None, ready: Callable[[], None]) -> None:
    # The HTTP server needs it. Without it, that part would end and be started again for ever.
    choose_temporary_folder(settings)
    stop = stop_on_signals()
    await prepare(url, settings, serves=True)
    telling = asyncio.create_task(_tell(ready, settings))
    try:
        await keep_running(PARTS, url, embedded, stop)
    finally:
        telling.cancel()


async def _tell(ready: Callable[[], None], settings: Settings) -> None:
    await answering(settings)
    ready()


async def answering(settings: Settings) -> None:
    """Return when the port accepts connections."""
    while True:
        try:
            _, writer = await asyncio.open_connection(settings.address(), settings.port)
        except OSError:
            await asyncio.sleep(LOOK_SECONDS)
        else:
            writer.close()
            return


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGINT and SIGTERM set from now on."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def keep_running(parts: Sequence[Part], url: str, embedded: EmbeddedServer | None, stop: asyncio.Event) -> None:
    """Keep the parts, and the embedded server if there is one, running until `stop` is set. Then stop the parts."""
    work = [_keep(part, url, stop) for part in parts]
    if embedded is not None:
        work.append(_watch_embedded(embedded, stop))
    await asyncio.gather(*work)


async def prepare(url: str, settings: Settings, *, serves: bool = False) -> list[Migration]:
    """Migrate the schema, move the horizon, and make the days that events may need. Return the steps taken.

    serves: the service starts, so that its retention counts when it is longer than the one in force (R13).
    Raises SettingsError when the user's own server cannot be reached, and sql.errors.DatabaseError.
    """
    try:
        steps = await migrate(url, shards=settings.shards)
    except Unavailable as error:
        if settings.database_url is None:
            raise
        cannot = "reached" if isinstance(error, Unreachable) else "used now"
        raise SettingsError(f"the database of DATABASE_URL cannot be {cannot}: {error}") from error
    database = Database(url, connections=1)
    try:
        asked = Retention(settings.event_retention_days, settings.rollup_retention_days, settings.log_days)
        kept = await record_retention(database, asked, lengthen=serves)
        tell_of_other_retention(settings, kept)
        for sentence in await lock_warnings(database, kept):
            log.warning("the retention is too long for this server", why=sentence)
        await advance(database, kept, read_clocks())
        await make_days(database, kept.log_days)
    finally:
        await database.close()
    return steps


def tell_of_other_retention(settings: Settings, kept: Retention) -> None:
    """Log how the settings differ from the retention in force."""
    for sentence in settings.unlike_retention(kept.event_days, kept.rollup_days, kept.log_days):
        log.warning("another retention is in force", why=sentence)


async def _keep(part: Part, url: str, stop: asyncio.Event) -> None:
    """Run one part. When it ends by itself, start it again, with longer pauses while it keeps ending soon."""
    pause = WATCH_SECONDS
    while not stop.is_set():
        started = asyncio.get_running_loop().time()
        process = await _start(part, url)
        ended = asyncio.create_task(process.wait())
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait([ended, stopping], return_when=asyncio.FIRST_COMPLETED)
        if stop.is_set():
            await _end(process, part, ended)
            return
        stopping.cancel()
        lasted = asyncio.get_running_loop().time() - started
        pause = WATCH_SECONDS if lasted > LONGEST_PAUSE else min(2 * pause, LONGEST_PAUSE)
        log.error("a part ended and is started again", part=part.name, code=process.returncode, pause=pause)
        await _wait(stop, pause)


async def _start(part: Part, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        part.module,
        part.command,
        *part.options,
        "--until-stdin-ends",
        env=os.environ | {"DATABASE_URL": url},
        # The part ends when this pipe does, so that it never outlives a supervisor that was killed.
        stdin=asyncio.subprocess.PIPE,
        # Only the supervisor gets Ctrl-C, and then stops the parts.
        start_new_session=True,
    )


async def _end(process: asyncio.subprocess.Process, part: Part, ended: asyncio.Task[int]) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(asyncio.shield(ended), STOP_SECONDS)
    except TimeoutError:
        log.warning("a part does not stop and is killed", part=part.name)
        process.kill()
        await ended


async def _watch_embedded(embedded: EmbeddedServer, stop: asyncio.Event) -> None:
    had_ballast = embedded.postgres.ballast.file.exists()
    while not stop.is_set():
        try:
            if await asyncio.to_thread(ensure_running, embedded):
                log.warning("the embedded PostgreSQL had died and was started again")
            has_ballast = await asyncio.to_thread(mind_ballast, embedded)
            if had_ballast and not has_ballast:
                log.warning("the ballast was removed, because the disk is full", folder=str(embedded.postgres.data_dir))
            had_ballast = has_ballast
        except EmbeddedError:
            log.exception("the embedded PostgreSQL cannot be started")
        await _wait(stop, WATCH_SECONDS)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
