"""Whatever a question with a share link says: it is refused, or it has the range and the filters of the link."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import cast
from urllib.parse import parse_qsl, quote

from hypothesis import given, settings
from hypothesis import strategies as st
from litestar.types import HTTPScope

from service.access.errors import WrongView
from service.access.rules import Access
from service.access.share_links import ShareLink, View
from service.errors import Invalid
from service.http.shared_view import SHOWS, VIEW_PATH, shown_by_link
from service.questions.filters import NAMES
from tests.support.access import DEFAULT
from tests.support.log import NOW

NAMED = sorted({*NAMES, "hours", "from", "to", "compare", *(name for names in SHOWS.values() for name in names)})
names = st.one_of(st.sampled_from(NAMED), st.text(max_size=8))
values = st.one_of(st.sampled_from(["", "1", "event", "default"]), st.text(max_size=8))
filters = st.dictionaries(st.sampled_from(sorted(NAMES - {"segment"})), st.text(min_size=1, max_size=8), max_size=3)


def link(view: View) -> Access:
    return Access(DEFAULT, key="hll_00000000", link=ShareLink("hll_00000000", b"", 0, "", view, (), NOW))


@st.composite
def queries(draw: st.DrawFn) -> bytes:
    """Give a query string, whose names and values may be encoded more than they need to be."""

    def encoded(text: str) -> str:
        if draw(st.booleans()):
            return "".join(f"%{byte:02X}" for byte in text.encode("utf-8", "replace"))
        return quote(text, safe="", errors="replace")

    pairs = draw(st.lists(st.tuples(names, values), max_size=4))
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in pairs).encode()


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from([*SHOWS, "/api/analytics/track", "/metrics", "/schema", "/api/analytics/export"]),
    st.sampled_from(["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]),
    queries(),
    filters,
    st.booleans(),
)
def test_a_link_decides_its_range_and_its_filters(
    path: str, method: str, query: bytes, kept: dict[str, str], is_rolling: bool
) -> None:
    view = View(24, None, None, kept) if is_rolling else View(None, NOW - timedelta(days=1), NOW, kept)
    scope = cast("HTTPScope", {"method": method, "query_string": query})
    try:
        shown_by_link(link(view), path, scope)
    except (WrongView, Invalid):
        assert scope["query_string"] == query
        return
    assert path in SHOWS
    assert method in ("GET", "OPTIONS")
    given_names = Counter(name for name, _ in parse_qsl(query.decode(), keep_blank_values=True))
    asked = parse_qsl(scope["query_string"].decode("ascii"), keep_blank_values=True)
    assert set(given_names) <= SHOWS[path]
    if path == VIEW_PATH:
        assert asked == []
        return
    own = {**kept, **view.range}
    assert Counter(name for name, _ in asked) == Counter([*given_names, *own])
    assert {name: value for name, value in asked if name in own} == own
    # No name of the link's is one that a question may have.
    assert not own.keys() & SHOWS[path]
