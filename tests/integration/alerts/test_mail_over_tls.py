"""Mails go over TLS to a real mail server, and to none whose certificate does not fit."""

from __future__ import annotations

import ssl
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from service.alerts.errors import DeliveryFailed
from service.alerts.mail import Letter, send_mail
from service.alerts.messages import Message
from service.settings.smtp import Smtp, smtp
from tests.support.certificates import make_certificate
from tests.support.targets import Mailbox, mailbox

Pair = tuple[Path, Path]

HERE, ELSEWHERE = "IP:127.0.0.1", "IP:127.0.0.9"
LETTER = Letter("ops@example.com", Message("Subject", "Text\n"), "7-1", datetime(2026, 11, 23, 7, 0, tzinfo=UTC))


def with_login(box: Mailbox) -> Smtp:
    found = smtp(box.url.replace("://", "://me:secret@"))
    assert found is not None
    return found


@pytest.fixture(name="fitting", scope="module")
def _fitting(tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make_certificate(tmp_path_factory.mktemp("fitting"), HERE)


@pytest.fixture(name="trusted")
def _trusted(fitting: Pair, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """The certificate, which this machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(fitting[0]))
    return fitting


def served(pair: Pair) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    return context


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_mail_and_its_login_go_over_tls(trusted: Pair, scheme: str) -> None:
    """The server takes no login in the clear."""
    async with mailbox(scheme, served(trusted)) as box:
        await send_mail(with_login(box), LETTER)
    assert box.logins == [(b"me", b"secret")]
    assert box.subjects() == ["Subject"]


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_that_nobody_vouches_for_gets_nothing(fitting: Pair, scheme: str) -> None:
    async with mailbox(scheme, served(fitting)) as box:
        with pytest.raises(DeliveryFailed, match=r"cannot be used: .*self-signed certificate"):
            await send_mail(with_login(box), LETTER)
    assert (box.logins, box.mails) == ([], [])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
async def test_a_certificate_of_another_host_gets_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    other = make_certificate(tmp_path, ELSEWHERE)
    monkeypatch.setenv("SSL_CERT_FILE", str(other[0]))
    async with mailbox(scheme, served(other)) as box:
        with pytest.raises(DeliveryFailed, match=r"cannot be used: .*certificate is not valid for '127.0.0.1'"):
            await send_mail(with_login(box), LETTER)
    assert (box.logins, box.mails) == ([], [])


async def test_a_password_is_not_sent_in_the_clear_to_another_machine() -> None:
    """The server offers no TLS. Its name only looks like that of another machine."""
    async with mailbox() as box:
        far = replace(with_login(box), host="0.0.0.0")  # noqa: S104  # connecting to it reaches this machine
        with pytest.raises(DeliveryFailed, match="offers no STARTTLS, and a password is not sent in the clear"):
            await send_mail(far, LETTER)
    assert (box.logins, box.mails) == ([], [])
