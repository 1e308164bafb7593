"""A real mail server and a real webhook on loopback, for messages of alerts."""

from __future__ import annotations

import asyncio
import email
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import policy
from email.message import EmailMessage
from functools import partial
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword

HERE = "127.0.0.1"
TAKEN = "250 OK"


@dataclass
class Mailbox:
    """What a mail server took. url: for HOURLEDGER_SMTP_URL. answers: to the next mails; then it takes all."""

    url: str = ""
    mails: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    logins: list[tuple[bytes, bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: SMTP, session: object, envelope: Envelope) -> str:  # noqa: ARG002, N802  # aiosmtpd's
        """Take a mail, or refuse it."""
        answer = self.answers.pop(0) if self.answers else TAKEN
        if answer == TAKEN:
            mail = email.message_from_bytes(envelope.original_content or b"", policy=policy.default)
            assert isinstance(mail, EmailMessage)
            assert envelope.rcpt_tos == [mail["To"]]
            self.mails.append(mail)
        return answer

    def subjects(self) -> list[str]:
        """Return the subjects of all mails."""
        return [str(mail["Subject"]) for mail in self.mails]

    def authenticate(self, *given: Any) -> AuthResult:
        """Take any user whose password is not `wrong`."""
        sent = given[-1]
        assert isinstance(sent, LoginPassword)
        self.logins.append((sent.login, sent.password))
        is_right = sent.password != b"wrong"
        return AuthResult(success=is_right, handled=is_right)


@asynccontextmanager
async def mailbox(scheme: str = "smtp", tls: ssl.SSLContext | None = None) -> AsyncIterator[Mailbox]:
    """Run a mail server during the block.

    scheme: with smtps a connection begins with TLS. tls: with smtp, what STARTTLS begins; then a login needs it.
    """
    box = Mailbox()
    loop = asyncio.get_running_loop()
    begins = scheme == "smtps"
    serve = partial(
        SMTP,
        box,
        loop=loop,
        hostname="localhost",
        authenticator=box.authenticate,
        auth_require_tls=tls is not None and not begins,
        tls_context=None if begins else tls,
    )
    server = await loop.create_server(serve, HERE, 0, ssl=tls if begins else None)
    box.url = f"{scheme}://{HERE}:{server.sockets[0].getsockname()[1]}/?from=stats@example.com"
    try:
        yield box
    finally:
        server.close()
        await server.wait_closed()


@dataclass(frozen=True)
class Post:
    """A request that a webhook got."""

    head: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Hook:
    """What a webhook got. statuses: of the next answers; then 200. Answers of 3xx lead to /elsewhere."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        head, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().rstrip().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        self.posts.append(Post(head, headers, await reader.readexactly(int(headers.get("content-length", 0)))))
        status = self.statuses.pop(0) if self.statuses else 200
        told = f"HTTP/1.1 {status} X\r\nlocation: /elsewhere\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        writer.write(told.encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def hook() -> AsyncIterator[Hook]:
    """Run a webhook during the block."""
    found = Hook()
    server = await asyncio.start_server(found.answer, HERE, 0)
    found.url = f"http://{HERE}:{server.sockets[0].getsockname()[1]}/hook/secret-path"
    try:
        yield found
    finally:
        server.close()
        await server.wait_closed()
