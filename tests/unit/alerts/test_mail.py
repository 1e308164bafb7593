"""The form of e-mails, and the setting that names the mail server."""

from __future__ import annotations

import email
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage

import pytest

from service.alerts.mail import Letter, written
from service.alerts.messages import Message
from service.settings import SettingsError, load
from service.settings.smtp import Smtp

AT = datetime(2026, 11, 23, 7, 0, tzinfo=UTC)
SECRET = "s3cret"  # noqa: S105


def sent(message: Message) -> EmailMessage:
    """Return a mail as its receiver reads it."""
    mail = written(Letter("ops@example.com", message, "7-1", AT), "stats@example.com")
    read = email.message_from_bytes(mail.as_bytes(), policy=policy.default)
    assert isinstance(read, EmailMessage)
    return read


def test_a_mail_has_text_and_the_same_as_html() -> None:
    mail = sent(Message("Events: 1,234 · ünïcode 😀", "Grüße\n", html="<p>Grüße</p>\n"))
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(html, EmailMessage)
    assert (text.get_content_type(), text.get_content()) == ("text/plain", "Grüße\n")
    assert (html.get_content_type(), html.get_content()) == ("text/html", "<p>Grüße</p>\n")
    assert mail["Subject"] == "Events: 1,234 · ünïcode 😀"
    assert mail["Message-ID"] == "<hourledger.7-1@example.com>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime == AT


def test_a_subject_adds_no_header() -> None:
    mail = sent(Message("one\r\nBcc: x@example.com", "text\n"))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "one Bcc: x@example.com"


@pytest.mark.parametrize(
    ("url", "smtp"),
    [
        ("", None),
        (
            f"smtp://me%40example.com:{SECRET}@mail.example.com/",
            Smtp("mail.example.com", 587, "me@example.com", False, "me@example.com", SECRET),
        ),
        (
            f"smtps://me:{SECRET}%2F@mail.example.com?from=stats%40example.com",
            Smtp("mail.example.com", 465, "stats@example.com", True, "me", f"{SECRET}/"),
        ),
        ("smtp://[::1]:2525/?from=a@b.example", Smtp("::1", 2525, "a@b.example", False)),
    ],
)
def test_the_setting_names_a_mail_server(url: str, smtp: Smtp | None) -> None:
    found = load({"HOURLEDGER_SMTP_URL": url}).smtp_url
    assert found == smtp
    for shown in (repr(found), str(found)):
        assert SECRET not in shown


@pytest.mark.parametrize(
    "url",
    [
        f"http://me:{SECRET}@mail.example.com/?from=a@b.example",
        f"smtp://me:{SECRET}@mail.example.com/",
        f"smtp://me:{SECRET}@mail.example.com:{SECRET}/?from=a@b.example",
        f"smtp://me:{SECRET}@mail.example.com/?from=a@b.example&{SECRET}=1",
        f"smtp://me:{SECRET}@mail.example.com/{SECRET}?from=a@b.example",
        f"smtp://me:{SECRET}@mail.example.com/?from=a@b.example%0d%0aBcc:x@y.z",
        f"smtp://:{SECRET}@/?from=a@b.example",
        f"smtp:{SECRET}",
    ],
)
def test_a_bad_setting_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"HOURLEDGER_SMTP_URL": url})
    assert str(refused.value).startswith("HOURLEDGER_SMTP_URL must ")
    assert SECRET not in str(refused.value)
