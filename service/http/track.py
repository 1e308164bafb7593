"""Answers POSTs of events, one event or a batch. It sends a 2xx only after the commit (R9)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from litestar.types import Receive

from service.access.keys import Kind
from service.access.limits import Allowance
from service.access.rules import Access
from service.errors import ServiceError, TooLarge, Unavailable, describe
from service.http.answers import Answer, Headers, json_answer
from service.http.bodies import Body
from service.http.gunzip import gunzip
from service.http.work_thread import WorkThread
from service.ingest.appender import Appender
from service.ingest.batch_decoding import decode_batch, decode_lines
from service.ingest.decoding import decode_event
from service.ingest.event import MAX_BATCH_BYTES, MAX_EVENT_BYTES, MAX_PAGE_BYTES, MAX_PAGE_EVENTS, Event
from service.ingest.outcomes import DISK_FULL, DUPLICATE, NOT_KNOWN, STORED, not_known, why_not_stored
from service.ingest.own_names import refuse_own_names
from service.ingest.page_bounds import page_refusal
from service.ingest.refusals import EventError
from service.visitors.visitors import Visitor, Visitors

# The outcome in the metrics of an event that could not be decoded. The answer tells its sender why.
INVALID = "invalid"
# An event of more bytes is decoded beside the event loop, and so is every gzip body and every batch.
INLINE_BYTES = 8_192

Decoded = TypeVar("Decoded")


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sends events.

    address: which bounds count by. access: what it may do. allowance: what it may still send. agent: the beginning of
    its User-Agent. origin: of its page, "" when none sends. Address and agent are looked at and never stored.
    """

    address: str
    access: Access
    allowance: Allowance
    agent: str
    origin: str


class Track:
    """Answers POSTs to the track paths.

    count: a function of an outcome and the number of events that had it. work: where large bodies are decoded.
    clock: for the bounds of what pages may send. visitors: tells of those whose pages send.
    """

    def __init__(
        self,
        appender: Appender,
        work: WorkThread,
        count: Callable[[str, int], None],
        clock: Callable[[], datetime],
        visitors: Visitors,
    ) -> None:
        self._appender = appender
        self._work = work
        self._count = count
        self._clock = clock
        self._visitors = visitors

    async def one(self, receive: Receive, headers: Headers, sender: Sender) -> Answer:
        """Append one event to the site of its sender. Raises ServiceError unless it is stored or a duplicate."""
        access = sender.access
        body = Body(self._appender.admission.singles, MAX_EVENT_BYTES, sender.address)
        try:
            sent = await body.read(receive, headers)
            sender.allowance.take(1, len(sent))
            told = self._told(sender)
            if body.gzipped or len(sent) > INLINE_BYTES:
                event = await self._decoded(body, sent, lambda plain: told(decode_event(plain)))
            else:
                event = told(decode_event(sent))
            outcome = self._refusal(event, access)
            if outcome is None:
                outcome = await self._appender.append_one(event, access.site.shards)
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

    async def batch(self, receive: Receive, headers: Headers, sender: Sender) -> Answer:
        """Append a batch to the site of its sender. A bad event never costs others.

        The answer is 503 when a part is not known to be stored. Raises TooLarge for more than a page may send at once.
        """
        access = sender.access
        is_page = access.kind is Kind.WRITE
        body = Body(self._appender.admission.batches, MAX_PAGE_BYTES if is_page else MAX_BATCH_BYTES, sender.address)
        try:
            sent = await body.read(receive, headers)
            sender.allowance.take(0, len(sent))
            decode = decode_lines if _is_lines(headers) else decode_batch
            told = self._told(sender)
            items = await self._decoded(body, sent, lambda plain: [_told_alone(told, each) for each in decode(plain)])
            sender.allowance.take(len(items), 0)
            if is_page and len(items) > MAX_PAGE_EVENTS:
                raise TooLarge(
                    f"the batch has {len(items)} events, but with a write key, which is for pages, may have at most"
                    f" {MAX_PAGE_EVENTS}: send it with a server key"
                )
            refused = [self._refusal(item, access) for item in items if isinstance(item, Event)]
            outcomes = await append_items(self._appender, items, refused, access.site.shards)
        finally:
            body.release()
        became = Counter(outcomes) + Counter({INVALID: len(items) - len(outcomes)})
        for outcome, events in became.items():
            self._count(outcome, events)
        return await self._work.run(_batch_answer, items, outcomes)

    def _told(self, sender: Sender) -> Callable[[Event], Event]:
        """Return a function that gives the event to store for one that was sent, or raises EventError.

        Only a key that pages do not carry may send properties that the service sets. A page's events get them.
        """
        if not sender.access.is_public:
            return _as_sent
        if not sender.access.is_page(has_origin=bool(sender.origin)):
            return _without_own_names
        return partial(_of_page, self._visitors.visitor(sender.agent, sender.address, sender.origin))

    def _refusal(self, event: Event, access: Access) -> str | None:
        return page_refusal(event, self._clock()) if access.kind is Kind.WRITE else None

    async def _decoded(self, body: Body, sent: bytes, decode: Callable[[bytes], Decoded]) -> Decoded:
        """Decompress and decode a body beside the event loop."""
        size, decoded = await self._work.run(_decode, sent, body.limit if body.gzipped else None, decode)
        if body.gzipped:
            body.hold(size)
        return decoded


def _as_sent(event: Event) -> Event:
    return event


def _without_own_names(event: Event) -> Event:
    refuse_own_names(event.properties)
    return event


def _of_page(visitor: Visitor, event: Event) -> Event:
    return visitor.event(_without_own_names(event))


def _told_alone(told: Callable[[Event], Event], item: Event | EventError) -> Event | EventError:
    """Return an event with what is told of its visitor, or its error, which is no other event's."""
    try:
        return told(item) if isinstance(item, Event) else item
    except EventError as error:
        return error.alone()


def _decode(sent: bytes, gzip_limit: int | None, decode: Callable[[bytes], Decoded]) -> tuple[int, Decoded]:
    plain = sent if gzip_limit is None else gunzip(sent, gzip_limit)
    return len(plain), decode(plain)


def _batch_answer(items: list[Event | EventError], outcomes: list[str]) -> Answer:
    answer = batch_answer(items, outcomes)
    return json_answer(answer, None if answer["ok"] else Unavailable)


async def append_items(
    appender: Appender, items: list[Event | EventError], refused: list[str | None], shards: Sequence[int] = ()
) -> list[str]:
    """Append the events among items that are not refused; return the outcome of each event, in order.

    refused: the outcome of each event that its key may not send, None for the others. shards: those of the site.
    """
    events = [item for item in items if isinstance(item, Event)]
    allowed = [event for event, outcome in zip(events, refused, strict=True) if outcome is None]
    try:
        appended = iter(await appender.append(allowed, shards) if allowed else [])
    except Unavailable as error:
        appended = iter([not_known(error)] * len(allowed))
    return [next(appended) if outcome is None else outcome for outcome in refused]


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
