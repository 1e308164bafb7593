"""Sends messages by e-mail, through the server that HOURLEDGER_SMTP_URL names (RFC 5321)."""

from __future__ import annotations

import asyncio
import ipaddress
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime

from service.alerts.deadlines import thread_end
from service.alerts.dialogue import Dialogue, TlsDialogue
from service.alerts.errors import DeliveryFailed
from service.alerts.messages import Message
from service.settings.smtp import Smtp


@dataclass(frozen=True, slots=True)
class Letter:
    """One e-mail. identity: of the message, the same in each attempt, so that a repeated one is known."""

    to: str
    message: Message
    identity: str
    at: datetime


async def send_mail(smtp: Smtp | None, letter: Letter) -> None:
    """Send an e-mail, in a thread beside the event loop. Raises DeliveryFailed.

    The thread says nothing to the server after thread_end, so that it hands over nothing that is recorded as failed. A
    server that takes the mail and does not say so in time gets it again, with the same identity.
    """
    if smtp is None:
        raise DeliveryFailed("HOURLEDGER_SMTP_URL is not set where the service runs")
    try:
        await asyncio.to_thread(_send, smtp, letter.to, written(letter, smtp.sender), thread_end())
    except smtplib.SMTPRecipientsRefused as error:
        code, told = next(iter(error.recipients.values()))
        raise DeliveryFailed(f"{smtp} refuses the recipient: {code} {_text(told)}") from error
    except smtplib.SMTPAuthenticationError as error:
        # Not its text, which may repeat what was sent.
        raise DeliveryFailed(f"{smtp} refuses the user and password: {error.smtp_code}") from error
    except smtplib.SMTPResponseException as error:
        raise DeliveryFailed(f"{smtp} answered {error.smtp_code} {_text(error.smtp_error)}") from error
    except (OSError, smtplib.SMTPException) as error:
        raise DeliveryFailed(f"{smtp} cannot be used: {' '.join(str(error).split())[:200]}") from error


def written(letter: Letter, sender: str) -> EmailMessage:
    """Return the e-mail: plain text, and the same as HTML where the message has some."""
    message = letter.message
    mail = EmailMessage()
    mail["From"] = f"hourledger <{sender}>"
    mail["To"] = letter.to
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<hourledger.{letter.identity}@{sender.rpartition('@')[2]}>"
    # So that no answering machine answers (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text)
    if message.html is not None:
        mail.add_alternative(message.html, subtype="html")
    return mail


def _send(smtp: Smtp, to: str, mail: EmailMessage, end: float) -> None:
    context = ssl.create_default_context()
    server = (
        TlsDialogue(smtp.host, smtp.port, end, context=context) if smtp.tls else Dialogue(smtp.host, smtp.port, end)
    )
    try:
        if not smtp.tls:
            _begin_tls(server, smtp, context)
        if smtp.user is not None:
            server.login(smtp.user, smtp.password or "")
        server.send_message(mail, from_addr=smtp.sender, to_addrs=[to])
    finally:
        with suppress(OSError):  # how the server says goodbye changes nothing about the mail
            server.quit()
        server.close()


def _begin_tls(server: Dialogue, smtp: Smtp, context: ssl.SSLContext) -> None:
    server.ehlo()
    if server.has_extn("starttls"):
        server.starttls(context=context)
        server.ehlo()
    elif smtp.user is not None and not _is_here(smtp.host):
        raise DeliveryFailed(f"{smtp} offers no STARTTLS, and a password is not sent in the clear")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _text(told: bytes | str) -> str:
    text = told.decode("ascii", "replace") if isinstance(told, bytes) else told
    return " ".join(text.split())[:200]
