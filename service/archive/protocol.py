"""What a worker and its child say to each other: MessagePack, each message after its length in four bytes.

The worker says Begin once, and the child says Ready. Then the worker says Ask, and Stop when the asker has left. The
child answers each Ask with Taken, any number of Rows, and then Done or Failed; a Stop only hastens that.
"""

from __future__ import annotations

from asyncio import IncompleteReadError, StreamReader, StreamWriter
from typing import Any

import msgspec
from msgspec import Struct

# The longest message; the reader refuses longer ones, so that it never holds more than one such message.
MOST_BYTES = 16 * 1024 * 1024
ROWS_AT_A_TIME = 500
_LENGTH_BYTES = 4

Row = dict[str, Any]


class Begin(Struct, tag=True, frozen=True):
    """How to answer. It comes by this way, because it holds the database's password.

    archive: the folder of the archive's files. folder: where the child's temporary files go, below scratch. children:
    how many processes of the machine have such a folder. seconds: the longest that one statement of PostgreSQL may
    take. variables: those of the environment that PostgreSQL's clients know, such as PGPASSWORD.
    """

    url: str
    archive: str
    folder: str
    scratch: str
    children: int
    seconds: int
    variables: dict[str, str] = {}


class Ready(Struct, tag=True, frozen=True):
    """The child waits for questions."""


class Ask(Struct, tag=True, frozen=True):
    """A question, encoded on its own, because only the child's answerer knows its type."""

    question: bytes


class Taken(Struct, tag=True, frozen=True):
    """The child has the question. What ends it from now on may be the question's fault."""


class Stop(Struct, tag=True, frozen=True):
    """The asker of the question under way has left. Without a question, it means nothing."""


class Rows(Struct, tag=True, frozen=True):
    """Some rows of the answer."""

    rows: list[Row]


class Done(Struct, tag=True, frozen=True):
    """The answer is complete.

    source: where its events came from. seconds: how long each step took, by name. wrong: the archive's files that are
    missing or damaged, so that their events were read elsewhere.
    """

    source: str
    seconds: dict[str, float]
    wrong: list[str]


class Failed(Struct, tag=True, frozen=True):
    """There is no answer. kind: the name of an error's class, see failures.py. trace: for the log, or ""."""

    kind: str
    message: str
    trace: str = ""


FromWorker = Begin | Ask | Stop
FromChild = Ready | Taken | Rows | Done | Failed
Message = FromWorker | FromChild

_encoder = msgspec.msgpack.Encoder()
from_worker = msgspec.msgpack.Decoder(FromWorker)
from_child = msgspec.msgpack.Decoder(FromChild)


class MessageTooLong(Exception):
    """A message is longer than MOST_BYTES."""


async def send(writer: StreamWriter, message: Message) -> None:
    """Send a message; wait while the other side takes nothing. Raises MessageTooLong, and OSError when it is gone."""
    data = _encoder.encode(message)
    if len(data) > MOST_BYTES:
        raise MessageTooLong(f"a message has {len(data):,} bytes, more than {MOST_BYTES:,}")
    writer.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
    await writer.drain()


async def receive(reader: StreamReader) -> bytes | None:
    """Return the next message, still encoded; None when the other side is gone. Raises MessageTooLong."""
    try:
        length = int.from_bytes(await reader.readexactly(_LENGTH_BYTES), "big")
        if length > MOST_BYTES:
            raise MessageTooLong(f"a message is said to have {length:,} bytes, more than {MOST_BYTES:,}")
        return await reader.readexactly(length)
    except (IncompleteReadError, ConnectionError):
        return None
