"""What people are told about a rule: one message, which every way of sending can use a part of."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from service.questions.hours import time_text

RECOVERED = "recovered"


class Message(msgspec.Struct, frozen=True):
    """A message. html: the same for e-mail, None for text alone. fields: what webhooks get besides."""

    subject: str
    text: str
    fields: dict[str, Any] = {}
    html: str | None = None


class About(msgspec.Struct, frozen=True):
    """What a message is about. site: its name. condition: the sentence of the rule."""

    rule: str
    site: str
    condition: str


def alert(about: About, found: str, at: datetime) -> Message:
    """Return the message that a rule fires. found: what the look found, a sentence."""
    return _message(about, "alert", about.condition, [f"{found}.", f"Found at {clock_text(at)}."], at, found)


def recovery(about: About, found: str, since: datetime, at: datetime) -> Message:
    """Return the message that a rule fires no more. since: when it began to."""
    lines = [f"{found}.", f"It was so from {clock_text(since)} to {clock_text(at)}."]
    return _message(about, "recovery", f"{RECOVERED}: {about.condition}", lines, at, found, since=time_text(since))


def trial(about: About, at: datetime) -> Message:
    """Return a message that only shows that the way is open."""
    lines = ["This is a test. Nothing is wrong.", f"Sent at {clock_text(at)}."]
    return _message(about, "test", f"test: {about.condition}", lines, at, lines[0])


def _message(about: About, kind: str, what: str, lines: list[str], at: datetime, found: str, **more: str) -> Message:
    subject = f"[hourledger] {about.site}: {what}"
    told = [*lines, "", f"Rule {about.rule!r}: {about.condition}."]
    fields = {
        "kind": kind,
        "rule": about.rule,
        "site": about.site,
        "condition": about.condition,
        "found": found,
        "at": time_text(at),
        **more,
    }
    return Message(subject, "\n".join(told) + "\n", fields)


def clock_text(moment: datetime) -> str:
    """Return a time for people, to the minute."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
