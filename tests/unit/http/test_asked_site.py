"""The site is taken off a query string, however it is encoded, and the rest stays as it was sent."""

from __future__ import annotations

import pytest

from service.errors import InvalidParameter, Unreadable
from service.http.asked_site import taken


@pytest.mark.parametrize(
    ("query", "name", "rest"),
    [
        (b"", None, b""),
        (b"hours=24&to=a%20b", None, b"hours=24&to=a%20b"),
        (b"site=blog", "blog", b""),
        (b"hours=24&site=blog&limit=1", "blog", b"hours=24&limit=1"),
        (b"%73ite=bl%6fg&a=%73ite", "blog", b"a=%73ite"),
        (b"site=a+b", "a b", b""),
        (b"site=", "", b""),
        (b"site", "", b""),
        (b"site=%C3%A9", "é", b""),
        (b"sites=a&website=b&a=site", None, b"sites=a&website=b&a=site"),
        (b"where=site%3D1&site=b", "b", b"where=site%3D1"),
    ],
)
def test_the_site_is_taken_off(query: bytes, name: str | None, rest: bytes) -> None:
    assert taken(query) == (name, rest)


@pytest.mark.parametrize("query", [b"site=a&site=a", b"site=a&s%69te=b"])
def test_two_sites_are_refused(query: bytes) -> None:
    with pytest.raises(InvalidParameter, match="site must be given once"):
        taken(query)


@pytest.mark.parametrize("query", [b"site=%ff", b"site=\xff"])
def test_a_site_that_is_no_utf_8_is_refused(query: bytes) -> None:
    with pytest.raises(Unreadable):
        taken(query)
