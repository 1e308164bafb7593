"""The peers of the track route: HTTP servers that differ from the service in one thing each.

`python -m bench.peers NAME` serves one of them, with the options of service/http/server.py.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from tempfile import TemporaryDirectory
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces, Loops
from granian.log import LogLevels
from litestar import Litestar, asgi
from litestar.types import Receive, Send

from bench.statements import load as load_statements
from service.app import Service
from service.console import end_with_stdin
from service.http.answers import json_answer, respond
from service.http.entry import Entry
from service.http.server import DRAIN_SECONDS
from service.ingest.append_queue import shard_among
from service.ingest.appender import Appender
from service.ingest.decoding import decode_event
from service.ingest.event import Event
from service.ingest.outcomes import STORED
from service.settings import load
from sql.database import Database

PATH = "/api/analytics/track"


class NoDatabase(Appender):
    """Stores nothing and reports each event as stored at once. Everything around it is the service's own code."""

    async def start(self) -> None:
        """Accept events from now on."""
        self.admission.available = True

    async def append_one(self, event: Event, shards: Sequence[int] = ()) -> str:  # noqa: ARG002
        """Drop one event and report it as stored."""
        self.admission.check_room(1)
        return STORED


class OneAppend(Appender):
    """Appends each event by itself, in one transaction per request."""

    async def append_one(self, event: Event, shards: Sequence[int] = ()) -> str:
        """Append one event; return its outcome."""
        self.admission.check_room(1)
        (outcome,) = await self._writer.append(shard_among(shards, event), [event])
        return outcome


class OneInsert(Appender):
    """Inserts each event by itself into a table like the log's: one INSERT per request and nothing else."""

    def __init__(self, database: Database, *given: Any, **named: Any) -> None:
        super().__init__(database, *given, **named)
        self._database = database
        self._insert_event = load_statements().insert_event

    async def append_one(self, event: Event, shards: Sequence[int] = ()) -> str:  # noqa: ARG002
        """Insert one event."""
        self.admission.check_room(1)
        await self._database.rows(self._insert_event, *event)
        return STORED


def no_database() -> Entry:
    """Return the service without a database behind it."""
    return _with(NoDatabase)


def one_append() -> Entry:
    """Return the service with an append per request instead of group commit."""
    return _with(OneAppend)


def one_insert() -> Entry:
    """Return the service with a plain INSERT per request instead of group commit."""
    return _with(OneInsert)


def _with(appender: type[Appender]) -> Entry:
    return Service(load(), appender).entry


def decode_only() -> Litestar:
    """Return an application whose route only decodes an event and answers."""

    @asgi(PATH, copy_scope=False)
    async def track(scope: Any, receive: Receive, send: Send) -> None:  # noqa: ARG001
        event = decode_event(await _body(receive))
        await respond(send, json_answer({"ok": True, "event_id": event.event_id}))

    return Litestar(route_handlers=[track], openapi_config=None, logging_config=None)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message: Any = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


PEERS = (no_database, one_append, one_insert, decode_only)


@click.command()
@click.argument("name", type=click.Choice([peer.__name__ for peer in PEERS]))
@click.option("--until-stdin-ends", is_flag=True)
def main(name: str, until_stdin_ends: bool) -> None:
    """Serve a peer on HOURLEDGER_PORT with HOURLEDGER_WORKERS until SIGTERM."""
    if until_stdin_ends:
        end_with_stdin()
    settings = load()
    with TemporaryDirectory(prefix="hourledger-bench-metrics-") as folder:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Granian(
            f"bench.peers:{name}",
            factory=True,
            address="127.0.0.1",
            port=settings.port,
            interface=Interfaces.ASGI,
            workers=settings.workers,
            loop=Loops.uvloop,
            websockets=False,
            backlog=4096,
            backpressure=2048,
            workers_kill_timeout=DRAIN_SECONDS,
            log_level=LogLevels.warning,
        ).serve()


if __name__ == "__main__":
    main()
