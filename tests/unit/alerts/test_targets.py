"""Whom rules tell. What is shown of a target holds no secret."""

from __future__ import annotations

import pytest

from service.alerts.targets import Target, Way, target_of
from service.errors import InvalidParameter

SECRET = "T0KEN"  # noqa: S105


@pytest.mark.parametrize(
    ("text", "target", "shown"),
    [
        ("mailto:ops@example.com", Target(Way.MAIL, "ops@example.com"), "mailto:ops@example.com"),
        ("MAILTO:a%2Bb@example.com", Target(Way.MAIL, "a+b@example.com"), "mailto:a+b@example.com"),
        (
            f"https://u:{SECRET}@hooks.example:8443/{SECRET}?key={SECRET}",
            Target(Way.WEBHOOK, f"https://u:{SECRET}@hooks.example:8443/{SECRET}?key={SECRET}"),
            "https://hooks.example:8443/…",
        ),
        (f"apprise:tgram://{SECRET}/1", Target(Way.APPRISE, f"tgram://{SECRET}/1"), "apprise:tgram://…"),
    ],
)
def test_targets_are_read(text: str, target: Target, shown: str) -> None:
    found = target_of(text)
    assert found == target
    assert found.shown == shown
    assert SECRET not in found.shown


@pytest.mark.parametrize(
    "text",
    [
        *("", SECRET, "ftp://example.com/" + SECRET, "file:///etc/passwd", "javascript:" + SECRET, "https://"),
        "http:///" + SECRET,
        *(f"https://example.com/{SECRET} x", f"https://example.com/#{SECRET}", f"https://example.com:{SECRET}/"),
        *("mailto:", "mailto:nobody", "mailto:a@b@c", "mailto:a@b.example,c@d.example"),
        "mailto:a@b.example%0d%0abcc:x@y.z",
        *("apprise:", f"apprise:{SECRET}", "https://example.com/" + 2_000 * "x"),
    ],
)  # fmt: skip
def test_others_are_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(InvalidParameter) as refused:
        target_of(text)
    assert refused.value.field == "target"
    assert SECRET not in refused.value.message
