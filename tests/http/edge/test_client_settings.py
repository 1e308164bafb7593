"""What the dashboard's line for a website is made of, and who is told it."""

from __future__ import annotations

from tests.http.conftest import ALLOWED_ORIGINS, WRITE_KEY
from tests.http.support.gate import READER
from tests.http.support.site import Site, refused

PATH = "/api/analytics/client"


def test_a_reader_with_the_token_is_told_the_write_key(guarded: Site) -> None:
    answer = guarded.client.get(PATH, headers=READER)
    assert answer.json() == {
        "ok": True, "needs_write_key": True, "write_key": WRITE_KEY, "origins": list(ALLOWED_ORIGINS)
    }  # fmt: skip
    assert answer.headers["cache-control"] == "no-store"


def test_nobody_else_is(guarded: Site, keyed: Site) -> None:
    for headers in ({}, {"x-write-key": WRITE_KEY}, {"authorization": f"Bearer {WRITE_KEY}"}):
        answer = guarded.client.get(PATH, headers=headers)
        assert WRITE_KEY not in refused(answer, 401, "unauthorized")
    assert keyed.get(PATH) == {"ok": True, "needs_write_key": True, "write_key": None, "origins": []}
    refused(keyed.client.get(PATH, headers={"x-forwarded-for": "203.0.113.9"}), 401, "unauthorized")


def test_without_a_key_there_is_none_to_tell(site: Site, open_to_all: Site) -> None:
    assert site.get(PATH) == {"ok": True, "needs_write_key": False, "write_key": None, "origins": []}
    assert open_to_all.get(PATH)["origins"] == ["*"]
