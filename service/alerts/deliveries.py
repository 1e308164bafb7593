"""Sends the messages that wait. One that cannot be sent is tried again after growing pauses, and given up in the end.

A message is taken by a statement (claim_alert_deliveries.sql), sent, and recorded as sent by another. So any number of
workers send it once, unless a worker dies, or loses the database, after the target took the message and before that is
recorded: then it is sent again, with the same identity, by which a receiver can know it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Literal

import msgspec
import structlog

from service.alerts.deadlines import ATTEMPT_SECONDS
from service.alerts.elsewhere import notify
from service.alerts.errors import DeliveryFailed
from service.alerts.mail import Letter, send_mail
from service.alerts.messages import Message
from service.alerts.targets import Target, Way, target_of
from service.alerts.webhooks import post
from service.settings.smtp import Smtp
from sql.database import Database, Row

# How many are sent at a time by one worker.
AT_ONCE = 4
# About six hours, by the pauses of claim_alert_deliveries.sql.
MOST_ATTEMPTS = 12

Outcome = Literal["sent", "failed", "gave_up"]

log = structlog.get_logger(__name__)
_messages = msgspec.json.Decoder(Message)


class Deliveries:
    """Sends messages. smtp: the mail server, if there is one. count: told the outcome of each attempt."""

    def __init__(self, database: Database, smtp: Smtp | None, count: Callable[[Outcome], None]) -> None:
        self._database = database
        self._smtp = smtp
        self._count = count

    async def send_due(self, clock: Callable[[], datetime]) -> None:
        """Send what is due, a few at a time, until nothing is. Raises sql.errors.DatabaseError."""
        while rows := await self._claim(clock()):
            await asyncio.gather(*(self._attempt(row, clock) for row in rows))

    async def _claim(self, now: datetime) -> list[Row]:
        return await self._database.rows(self._database.statements.claim_alert_deliveries, now, AT_ONCE)

    async def _attempt(self, row: Row, clock: Callable[[], datetime]) -> None:
        target = target_of(row["target"])
        identity = f"{row['delivery']}-{int(row['created_at'].timestamp())}"
        why = await reason_of(
            send(self._smtp, target, _messages.decode(row["message"]), identity, row["secret"], clock())
        )
        recorded = await self._database.rows(
            self._database.statements.record_delivery, row["delivery"], row["attempts"], why, clock(), MOST_ATTEMPTS
        )
        self._tell(row, target, why, gave_up=any(each["gave_up"] for each in recorded))

    def _tell(self, row: Row, target: Target, why: str | None, *, gave_up: bool) -> None:
        about = {"rule": row["name"], "target": target.shown, "attempt": row["attempts"]}
        if why is None:
            self._count("sent")
            log.info("an alert was sent", **about)
        elif gave_up:
            self._count("gave_up")
            log.error("an alert could not be sent and is given up", **about, why=why)
        else:
            self._count("failed")
            log.warning("an alert could not be sent and is tried again", **about, why=why)


async def send(smtp: Smtp | None, target: Target, message: Message, identity: str, secret: str, at: datetime) -> None:
    """Send a message to a target. Raises DeliveryFailed."""
    if target.way is Way.MAIL:
        await send_mail(smtp, Letter(target.address, message, identity, at))
    elif target.way is Way.WEBHOOK:
        await post(target.address, message, identity, secret, at)
    else:
        await notify(target.address, message)


async def reason_of(sending: Awaitable[None]) -> str | None:
    """Return why a message was not sent in time, None when it was."""
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            await sending
    except DeliveryFailed as error:
        return str(error)
    except TimeoutError:
        return f"it was not taken within {ATTEMPT_SECONDS:g} s"
    except Exception as error:
        # A fault of ours, or of a library, must not end the sending of others.
        log.exception("sending an alert failed")
        return f"sending failed: {type(error).__name__}"
    return None
