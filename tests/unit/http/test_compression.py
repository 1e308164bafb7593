"""The compression of a large answer, and its stall of the event loop."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
from time import thread_time

from litestar.types import Message

from service.http.compression import MOST_AT_ONCE, Compression

# As many bytes as a list of a thousand events with large properties has.
EVENTS = [{"id": number, "text": random.randbytes(4_000).hex()} for number in range(1_000)]
MOST_STALL_SECONDS = 0.05


async def test_a_large_answer_does_not_hold_the_loop() -> None:
    body = json.dumps(EVENTS).encode()
    assert len(body) > 200 * MOST_AT_ONCE
    stalls: list[float] = []
    sent: list[Message] = []

    async def tick() -> None:
        while True:
            # The time of this thread alone, because other processes hold the machine, too.
            before = thread_time()
            await asyncio.sleep(0)
            stalls.append(thread_time() - before)

    async def send(message: Message) -> None:
        sent.append(message)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    compression = Compression(send, {b"accept-encoding": b"gzip"}, is_read=True)
    head = [(b"cache-control", b"no-store"), (b"content-length", b"%d" % len(body))]
    await compression({"type": "http.response.start", "status": 200, "headers": head})
    await compression({"type": "http.response.body", "body": body, "more_body": False})
    await asyncio.sleep(0)
    ticking.cancel()
    assert gzip.decompress(sent[1]["body"]) == body  # type: ignore[typeddict-item]
    assert max(stalls) < MOST_STALL_SECONDS
