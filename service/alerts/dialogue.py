"""A dialogue with a mail server that has one end, however many answers the server gives, and however slowly."""

from __future__ import annotations

import io
import smtplib
from typing import Any

from service.alerts.deadlines import seconds_to


class Dialogue(smtplib.SMTP):
    """A dialogue that says and reads nothing after its end.

    end: in seconds of time.monotonic. Finding the server's addresses has no limit but that of the system. Connecting
    may take what is left for each address, and so may TLS; but nothing is said after those when the time is over.
    """

    def __init__(self, host: str, port: int, end: float, **given: Any) -> None:
        self._end = end
        super().__init__(host, port, timeout=seconds_to(end), **given)

    def limit(self) -> None:
        """Let the next step take what is left. Raises TimeoutError when nothing is."""
        if self.sock is not None:
            self.sock.settimeout(seconds_to(self._end))

    def send(self, s: Any) -> None:
        """Send bytes or text. Raises OSError."""
        self.limit()
        super().send(s)

    def getreply(self) -> tuple[int, bytes]:
        """Return the code and the text of an answer. Raises OSError."""
        if self.file is None:
            self.file = io.BufferedReader(_Answers(self))
        return super().getreply()


class TlsDialogue(Dialogue, smtplib.SMTP_SSL):
    """A dialogue over a connection that begins with TLS. It takes the `context` of TLS, too."""


class _Answers(io.RawIOBase):
    """What a server says. A socket's limit is for one read, and an answer may come byte by byte."""

    def __init__(self, dialogue: Dialogue) -> None:
        self._dialogue = dialogue

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._dialogue.limit()
        sock = self._dialogue.sock
        return sock.recv_into(buffer) if sock is not None else 0
