"""Answers POSTs of events, one event or a batch. It sends a 2xx only after the commit (R9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from litestar.types import Receive

from service.errors import ServiceError, Unavailable, describe
from service.http.answers import Answer, Headers, json_answer
from service.http.bodies import Body
from service.http.gunzip import gunzip
from service.http.work_thread import WorkThread
from service.ingest.appender import Appender
from service.ingest.batch_decoding import decode_batch, decode_lines
from service.ingest.decoding import decode_event
from service.ingest.event import MAX_BATCH_BYTES, MAX_EVENT_BYTES, Event
from service.ingest.outcomes import DISK_FULL, DUPLICATE, NOT_KNOWN, STORED, not_known, why_not_stored
from service.ingest.refusals import EventError

# The outcome in the metrics of an event that could not be decoded. The answer tells its sender why.
INVALID = "invalid"
# An event of more bytes is decoded beside the event loop, and so is every gzip body and every batch.
INLINE_BYTES = 8_192

Decoded = TypeVar("Decoded")


class Track:
    """Answers POSTs to the track paths.

    count: a function of an outcome and the number of events that had it. work: where large bodies are decoded.
    """

    def __init__(self, appender: Appender, work: WorkThread, count: Callable[[str, int], None]) -> None:
        self._appender = appender
        self._work = work
        self._count = count

    async def one(self, receive: Receive, headers: Headers, address: str) -> Answer:
        """Append one event. Raises ServiceError unless it is stored or a duplicate."""
        body = Body(self._appender.admission.singles, MAX_EVENT_BYTES, address)
        try:
            sent = await body.read(receive, headers)
            if body.gzipped or len(sent) > INLINE_BYTES:
                event = await self._decoded(body, sent, decode_event)
            else:
                event = decode_event(sent)
            outcome = await self._appender.append_one(event)
        except ServiceError as error:
            self._count(not_known(error) if isinstance(error, Unavailable) else INVALID, 1)
            raise
        finally:
            body.release()
        self._count(outcome, 1)
        if outcome not in (STORED, DUPLICATE):
            raise why_not_stored(outcome)
        repeated = {"duplicate": True} if outcome == DUPLICATE else {}
        return json_answer({"ok": True, "event_id": event.event_id, **repeated})

    async def batch(self, receive: Receive, headers: Headers, address: str) -> Answer:
        """Append a batch. The answer is 503 when a part is not known to be stored. A bad event never costs others."""
        body = Body(self._appender.admission.batches, MAX_BATCH_BYTES, address)
        try:
            sent = await body.read(receive, headers)
            items = await self._decoded(body, sent, decode_lines if _is_lines(headers) else decode_batch)
            outcomes = await append_items(self._appender, items)
        finally:
            body.release()
        became = Counter(outcomes) + Counter({INVALID: len(items) - len(outcomes)})
        for outcome, events in became.items():
            self._count(outcome, events)
        return await self._work.run(_batch_answer, items, outcomes)

    async def _decoded(self, body: Body, sent: bytes, decode: Callable[[bytes], Decoded]) -> Decoded:
        """Decompress and decode a body beside the event loop."""
        size, decoded = await self._work.run(_decode, sent, body.limit if body.gzipped else None, decode)
        if body.gzipped:
            body.hold(size)
        return decoded


def _decode(sent: bytes, gzip_limit: int | None, decode: Callable[[bytes], Decoded]) -> tuple[int, Decoded]:
    plain = sent if gzip_limit is None else gunzip(sent, gzip_limit)
    return len(plain), decode(plain)


def _batch_answer(items: list[Event | EventError], outcomes: list[str]) -> Answer:
    answer = batch_answer(items, outcomes)
    return json_answer(answer, None if answer["ok"] else Unavailable)


async def append_items(appender: Appender, items: list[Event | EventError]) -> list[str]:
    """Append the events among items; return the outcome of each, in order."""
    events = [item for item in items if isinstance(item, Event)]
    try:
        return await appender.append(events) if events else []
    except Unavailable as error:
        return [not_known(error)] * len(events)


def batch_answer(items: list[Event | EventError], outcomes: list[str]) -> dict[str, Any]:
    """Return the answer to a batch: the number of events stored, duplicate and rejected, their ids, and the errors.

    When the disk is full, it says so once for the whole batch.
    """
    ids: list[str | None] = []
    errors: list[dict[str, Any]] = []
    outcome_of = iter(outcomes)
    for index, item in enumerate(items):
        error, known = _problem(item, outcome_of)
        # An event that is not known to be stored gets its id, too, so that its sender can repeat it with the same id.
        ids.append(known)
        if error is not None:
            errors.append({"index": index, **error})
    full = why_not_stored(DISK_FULL) if DISK_FULL in outcomes else None
    return {
        "ok": NOT_KNOWN.isdisjoint(outcomes),
        "count": len(items),
        "stored": outcomes.count(STORED),
        "duplicates": outcomes.count(DUPLICATE),
        "rejected": len(errors),
        "event_ids": ids,
        "errors": errors,
        **({"error": describe(full.code, full.message, None)} if full else {}),
    }


def _problem(item: Event | EventError, outcome_of: Iterator[str]) -> tuple[dict[str, str] | None, str | None]:
    if isinstance(item, EventError):
        return describe(item.code, item.message, item.field), None
    outcome = next(outcome_of)
    if outcome in (STORED, DUPLICATE):
        return None, item.event_id
    error = why_not_stored(outcome)
    if outcome in NOT_KNOWN:
        # Whatever the reason, because clients keep only events with this code.
        return describe(Unavailable.code, error.message, None), item.event_id
    return describe(error.code, error.message, error.field), None


def _is_lines(headers: Headers) -> bool:
    return headers.get(b"content-type", b"").split(b";")[0].strip().lower() == b"application/x-ndjson"
