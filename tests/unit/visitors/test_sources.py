"""Sources and channels of visits, from referrers and UTM parameters."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.visitors.sources import LONGEST_NAME, Link, Source, Sources, host_of
from service.web import assets
from tests.support.sent_events import examples

CHANNELS = {None, "direct", "search", "social", "referral", "email", "paid", "campaign", "ai"}
OWN = "shop.example"
DIRECT, NONE = Source(None, "direct"), Source(None, None)


@pytest.fixture(scope="module")
def sources() -> Sources:
    return Sources(assets.VENDOR / assets.SOURCES_OF_VISITS)


@pytest.mark.parametrize(
    ("referrer", "source"),
    [
        ("", DIRECT),
        ("https://www.google.com/", Source("Google", "search")),
        ("https://www.google.co.uk/", Source("Google", "search")),
        ("https://docs.google.com/document", Source("docs.google.com", "referral")),
        ("https://duckduckgo.com/", Source("DuckDuckGo", "search")),
        ("https://uk.search.yahoo.com/", Source("Yahoo!", "search")),
        ("https://www.baidu.com/", Source("Baidu", "search")),
        ("https://l.facebook.com/", Source("Facebook", "social")),
        ("https://de.linkedin.com/in", Source("LinkedIn", "social")),
        ("https://news.ycombinator.com/item", Source("Hacker News", "social")),
        ("https://www.producthunt.com/posts/x", Source("Product Hunt", "social")),
        ("https://chatgpt.com/", Source("ChatGPT", "ai")),
        ("https://www.perplexity.ai/search", Source("Perplexity", "ai")),
        ("android-app://com.google.android.gm/", Source("Gmail", "email")),
        ("https://blog.shop.example/a", Source("blog.shop.example", "referral")),
        ("https://Journal.EXAMPLE:8443/a?b#c", Source("journal.example", "referral")),
        ("http://wiki/start", Source("wiki", "referral")),
        ("https://shop.example/cart", NONE),
        ("http://www.shop.example:8080", NONE),
        ("about:blank", NONE),
        ("null", NONE),
        ("https:///", NONE),
    ],
)
def test_a_referrer_has_a_source_unless_it_is_the_site_itself(sources: Sources, referrer: str, source: Source) -> None:
    assert sources.of(Link(referrer), OWN) == source


@pytest.mark.parametrize(
    ("link", "source"),
    [
        (Link("https://www.google.com/", "google", "cpc", "autumn"), Source("Google", "paid")),
        (Link("", "Bing", "Paid-Search"), Source("Bing", "paid")),
        (Link("", "letter", "e-mail"), Source("letter", "email")),
        (Link("", "letter", "", "week-48"), Source("letter", "campaign")),
        (Link("", "partner", "affiliate"), Source("partner", "campaign")),
        (Link("", "linkedin", "Social Media"), Source("LinkedIn", "social")),
        (Link("", "producthunt", "referral"), Source("Product Hunt", "referral")),
        (Link("", "chatgpt.com"), Source("ChatGPT", "ai")),
        (Link("", "chatgpt.com", "cpc"), Source("ChatGPT", "paid")),
        (Link("https://journal.example/", "", "", "spring"), Source("journal.example", "campaign")),
        (Link("https://shop.example/", "", "banner"), Source(None, "paid")),
        (Link("", " od\nd "), Source("odd", "campaign")),
    ],
)
def test_what_the_link_itself_says_comes_first(sources: Sources, link: Link, source: Source) -> None:
    assert sources.of(link, OWN) == source


texts = st.text(max_size=300) | st.sampled_from(
    ["https://google.com/", "cpc", "https://a.b.c.d.e/", "x" * 300, "😀" * 200]
)


@given(st.builds(Link, texts, texts, texts, texts), st.sampled_from(["", OWN]))
@examples(200)
def test_whatever_a_page_sends_gives_a_known_channel_and_a_short_name(link: Link, own_host: str) -> None:
    name, channel = Sources(Path("missing")).of(link, own_host)
    assert channel in CHANNELS
    assert name is None or (name and name.isprintable() and len(name) <= LONGEST_NAME)


def test_without_the_list_assistants_and_hosts_are_known_all_the_same(tmp_path: Path) -> None:
    sources = Sources(tmp_path / "missing.json")
    assert sources.of(Link("https://claude.ai/"), "") == Source("Claude", "ai")
    assert sources.of(Link("https://www.google.com/"), "") == Source("google.com", "referral")


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://www.shop.example:443", "shop.example"),
        ("https://user:secret@shop.example/x", "shop.example"),
        ("shop.example/x", "shop.example"),
        ("https://www.example", "www.example"),
        ("http://localhost:3000", "localhost"),
        ("null", ""),
        ("https://ex ample.com", ""),
        ("https://[::1]/", ""),
    ],
)
def test_the_host_of_an_address(address: str, host: str) -> None:
    assert host_of(address) == host
