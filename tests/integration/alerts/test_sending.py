"""Messages reach a real mail server, a real webhook, and what apprise reaches; and a refusal says why."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import smtplib
import socket
import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from time import monotonic

import pytest

from service.alerts import deadlines
from service.alerts.dialogue import Dialogue
from service.alerts.elsewhere import problem_with
from service.alerts.rules import try_rule
from service.errors import InvalidParameter
from service.settings.smtp import Smtp, smtp
from sql.database import Database
from tests.support.alerts import Watcher
from tests.support.log import NOW
from tests.support.targets import HERE, Hook, Mailbox

# Apprise loads it where Python still has it.
OLD_MODULE = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated")
MAIL = "mailto:ops@example.com"


async def tried(watcher: Watcher, server: Smtp | None, target: str) -> str | None:
    """Return why a test message was not sent, None when it was."""
    await watcher.add("rule", "failed proof", target)
    (found,) = await try_rule(watcher.service.log, server, "rule", NOW)
    return found.why


async def test_a_mail_is_taken_with_a_login(watcher: Watcher, mails: Mailbox) -> None:
    server = smtp(mails.url.replace("://", "://me%40example.com:p%40ss@"))
    assert await tried(watcher, server, MAIL) is None
    assert mails.logins == [(b"me@example.com", b"p@ss")]
    assert mails.subjects() == ["[hourledger] default: test: failed proof"]
    assert str(mails.mails[0]["From"]) == "hourledger <stats@example.com>"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("451 try later", "answered 451 try later"),
        ("554 no spam", "answered 554 no spam"),
    ],
)
async def test_a_mail_that_is_refused_says_why(watcher: Watcher, mails: Mailbox, answer: str, told: str) -> None:
    mails.answers = [answer]
    assert told in (await tried(watcher, smtp(mails.url), MAIL) or "")


async def test_a_slow_mail_server_gets_no_mail_after_the_end(
    watcher: Watcher, mails: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No single answer is slow, and the mail is not handed over when it is recorded as failed."""
    monkeypatch.setattr(deadlines, "monotonic", count(0, 4).__next__)
    why = await tried(watcher, smtp(mails.url), MAIL)
    assert "30 s are over" in (why or "")
    assert mails.mails == []


async def test_an_answer_without_an_end_is_left_in_time() -> None:
    """Each line of it comes at once."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while not reader.at_eof():
                writer.write(b"220-more\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(drip, HERE, 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(smtplib.SMTPServerDisconnected, match="30 s are over"):
        await asyncio.to_thread(Dialogue, HERE, port, monotonic() + 0.2)
    server.close()
    await server.wait_closed()


async def test_a_goodbye_that_fails_does_not_undo_a_mail(
    watcher: Watcher, mails: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object) -> str:
        return "421 too busy to say goodbye"

    monkeypatch.setattr(mails, "handle_QUIT", refuse, raising=False)
    assert await tried(watcher, smtp(mails.url), MAIL) is None
    assert len(mails.mails) == 1


async def test_a_wrong_password_is_not_repeated(watcher: Watcher, mails: Mailbox) -> None:
    why = await tried(watcher, smtp(mails.url.replace("://", "://me:wrong@")), MAIL)
    assert why is not None
    assert "refuses the user and password: 535" in why
    assert "wrong" not in why


async def test_without_a_mail_server_the_reason_names_the_setting(watcher: Watcher) -> None:
    assert "HOURLEDGER_SMTP_URL" in (await tried(watcher, None, MAIL) or "")
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    (found,) = await try_rule(watcher.service.log, smtp(f"smtp://{HERE}:{port}/?from=a@b.example"), "rule", NOW)
    assert "cannot be used" in (found.why or "")


async def test_a_webhook_can_check_who_signed_what(watcher: Watcher, posts: Hook) -> None:
    secret = await watcher.add("quiet", "no events for 30 minutes", posts.url)
    await watcher.look()
    (post,) = posts.posts
    body = json.loads(post.body)
    assert (body["kind"], body["rule"], body["site"]) == ("alert", "quiet", "default")
    assert body["text"].startswith("[hourledger] default: no events for 30 minutes\n")
    assert body["id"] == post.headers["webhook-id"]
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    assert post.headers["webhook-signature"] == f"v1,{expected}"
    assert int(post.headers["webhook-timestamp"]) == int(watcher.clock.now.timestamp())


async def test_a_webhook_that_is_not_there_is_told_without_its_address(watcher: Watcher) -> None:
    with socket.create_server((HERE, 0)) as free:
        port = free.getsockname()[1]
    why = await tried(watcher, None, f"http://{HERE}:{port}/secret")
    assert why == "the webhook cannot be reached: ConnectError"


@OLD_MODULE
async def test_apprise_reaches_what_it_knows(watcher: Watcher, posts: Hook) -> None:
    target = f"apprise:json://{posts.url.removeprefix('http://')}"
    assert await tried(watcher, None, target) is None
    body = json.loads(posts.posts[0].body)
    assert body["title"] == "[hourledger] default: test: failed proof"
    posts.statuses = [500]
    (found,) = await try_rule(watcher.service.log, None, "rule", NOW)
    assert "apprise could not send it" in (found.why or "")


@OLD_MODULE
async def test_a_url_that_apprise_does_not_know_is_refused_at_once(database: Database, watcher: Watcher) -> None:
    with pytest.raises(InvalidParameter, match="apprise does not know this URL"):
        await watcher.add("rule", "failed proof", "apprise:nonsense://there")


def test_without_apprise_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert "install hourledger[apprise]" in (problem_with("json://there") or "")
