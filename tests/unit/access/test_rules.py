"""The secrets of the environment among the keys, and what a new key looks like."""

from __future__ import annotations

import re
import secrets
from datetime import timedelta

import pytest

from service.access.errors import Unauthorized, WrongSite
from service.access.keys import PREFIX, Kind, Right, new_key
from service.access.rules import Access
from service.settings import READ_TOKEN, WRITE_KEY
from tests.support.access import BLOG, DEFAULT, a_key, rules
from tests.support.log import NOW

ENVIRONMENT = {WRITE_KEY: "writes", READ_TOKEN: "reads"}


def found(right: Right, text: str, site: str | None = None, **environment: str) -> Access:
    return rules([], environment=environment or ENVIRONMENT).access(right, [text], site, is_forwarded=lambda: False)


def test_the_environment_has_a_server_key_and_a_read_token_of_the_default_site() -> None:
    assert found(Right.EVENTS, "writes") == Access(DEFAULT, Kind.SERVER, WRITE_KEY)
    for right in (Right.READS, Right.CHANGES):
        assert found(right, "reads", "default") == Access(DEFAULT, Kind.READ, READ_TOKEN, everywhere=True)
    for right, text in ((Right.EVENTS, "writes"), (Right.READS, "reads"), (Right.CHANGES, "reads")):
        with pytest.raises(WrongSite):
            found(right, text, "blog")


@pytest.mark.parametrize("site", [None, "blog", "nowhere"])
@pytest.mark.parametrize(("right", "text"), [(Right.EVENTS, "reads"), (Right.READS, "writes"), (Right.CHANGES, "")])
def test_a_secret_of_the_environment_closes_every_site(right: Right, text: str, site: str | None) -> None:
    with pytest.raises(Unauthorized) as refused:
        found(right, text, site)
    assert refused.value.reason == "no_key"


def test_a_write_key_closes_no_reads_and_a_token_no_events() -> None:
    assert found(Right.READS, "", "blog", HOURLEDGER_WRITE_KEY="writes").site is BLOG
    assert found(Right.EVENTS, "", "blog", HOURLEDGER_READ_TOKEN="reads").site is BLOG  # noqa: S106


def test_reads_through_a_proxy_need_a_key_or_the_setting() -> None:
    text = new_key(Kind.READ)
    known = [a_key(text, Kind.READ, 1)]
    assert rules(known).access(Right.READS, [text], None, is_forwarded=lambda: True).site is BLOG
    with pytest.raises(Unauthorized) as refused:
        rules(known).access(Right.READS, [], None, is_forwarded=lambda: True)
    assert refused.value.reason == "forwarded"
    opened = rules(known, environment={"HOURLEDGER_OPEN_READS": "1"}).access(
        Right.READS, [], None, is_forwarded=lambda: True
    )
    # Open for the default site, but not about all sites, because one of them needs a key.
    assert opened == Access(DEFAULT, everywhere=False)


@pytest.mark.parametrize("revoked", [True, False])
def test_a_key_whose_time_is_over_says_so_and_is_not_noted(revoked: bool) -> None:
    text, used = new_key(Kind.SERVER), list[str]()
    ended = a_key(text, Kind.SERVER, revoked=revoked, expires_at=NOW - timedelta(days=1))
    with pytest.raises(Unauthorized, match="was revoked" if revoked else "has expired") as refused:
        rules([ended], used=used).access(Right.EVENTS, [text], None, is_forwarded=lambda: False)
    assert refused.value.reason == ("revoked_key" if revoked else "expired_key")
    assert text[13:] not in refused.value.message
    assert used == []
    rules([a_key(text, Kind.SERVER)], used=used).access(Right.EVENTS, [text], None, is_forwarded=lambda: False)
    assert used == [text[:12]]


@pytest.mark.parametrize("kind", Kind)
def test_a_new_key_says_its_kind_and_is_random(kind: Kind) -> None:
    made = {new_key(kind) for _ in range(100)}
    assert len({key[:12] for key in made}) == 100
    for key in made:
        assert re.fullmatch(rf"hl{kind[0]}_[0-9A-Za-z]{{8}}_[0-9A-Za-z]{{32}}", key)
        assert PREFIX.fullmatch(key[:12])
    assert new_key.__defaults__ == (secrets.choice,)
