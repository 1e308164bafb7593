"""Bots are told from visitors as the list does it, and by the networks that the operator refuses."""

from __future__ import annotations

import ipaddress
import re
from pathlib import Path

import crawleruseragents
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.bots import AGENT_CHARACTERS, MOST_AGENTS, Agents, Bots, Networks, known_agents
from service.access.errors import Bot
from service.access.keys import Kind
from service.access.rules import Access
from service.settings import WRITE_KEY, Settings, SettingsError, load
from tests.browser.conftest import VISITOR
from tests.support.access import DEFAULT
from tests.support.sent_events import examples

HEADLESS = VISITOR.replace("Chrome", "HeadlessChrome")
CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
VISITORS = (
    VISITOR,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 Version/19.1 Mobile Safari/604.1",
    f"Mozilla/5.0 (Linux; Android 16; CUBOT P90) {CHROME} Mobile Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36 Edg/141.0.0.0",
    "",
)
PAGE = Access(DEFAULT, Kind.WRITE, "hlw_4fQ0aZ9k")
OPEN = Access(DEFAULT)
OF_ENVIRONMENT = Access(DEFAULT, Kind.SERVER, WRITE_KEY)
SERVER = Access(DEFAULT, Kind.SERVER, "hls_4fQ0aZ9k")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def is_refused(access: Access, agent: str, *, from_page: bool, address: str = "192.0.2.1", **environment: str) -> bool:
    """Return whether a sender counts as a bot."""
    try:
        Bots(settings(**environment)).check(access, agent, address, from_page=from_page)
    except Bot:
        return True
    return False


def settings(**environment: str) -> Settings:
    return load({f"HOURLEDGER_{name}": value for name, value in environment.items()})


def test_every_known_bot_is_told_and_no_visitor_is() -> None:
    agents = known_agents()
    instances = [agent for each in crawleruseragents.CRAWLER_USER_AGENTS_DATA for agent in each.get("instances", [])]
    assert len(instances) > 2_000
    assert [agent for agent in instances if not agents.is_bot(agent[:AGENT_CHARACTERS])] == []
    assert agents.is_bot(HEADLESS)
    assert [agent for agent in VISITORS if agents.is_bot(agent)] == []


pieces = st.sampled_from(["bot", "Bot", "a.b", "/", "curl", "x", "Spider", "spider.com", " ", "Silk/", "wget"])


@given(st.lists(pieces, max_size=6).map("".join))
@examples(100)
def test_literals_and_patterns_are_found_as_one_expression_finds_them(agent: str) -> None:
    patterns = [r"Bot\/", r"a\.b", "^curl", "[wW]get", r"Spider[\s\S]*spider\.com", "x/x", "^Silk/", "(^| )b"]
    assert Agents(patterns).is_bot(agent) == any(re.search(pattern, agent) for pattern in patterns)


def test_the_memory_of_agents_is_bounded() -> None:
    agents = Agents(["Bot"])
    for number in range(MOST_AGENTS + 100):
        agents.is_bot(f"agent {number}")
    assert agents.is_bot.cache_info().currsize == MOST_AGENTS


def test_only_what_looks_like_a_page_must_have_the_agent_of_a_browser() -> None:
    assert is_refused(PAGE, HEADLESS, from_page=True)
    assert is_refused(PAGE, "curl/8.5", from_page=False)
    assert is_refused(OPEN, HEADLESS, from_page=True)
    assert is_refused(OF_ENVIRONMENT, HEADLESS, from_page=True)  # pages carry it
    assert not is_refused(OPEN, "curl/8.5", from_page=False)
    assert not is_refused(OF_ENVIRONMENT, "curl/8.5", from_page=False)
    for from_page in (True, False):
        assert not is_refused(SERVER, HEADLESS, from_page=from_page)
        assert not is_refused(PAGE, VISITOR, from_page=from_page)
        assert not is_refused(PAGE, HEADLESS, from_page=from_page, BOTS="accept")


def test_addresses_of_the_list_are_refused_with_any_agent(tmp_path: Path) -> None:
    file = tmp_path / "networks"
    file.write_text("# a data centre\n198.51.100.0/24  # the first\n\n2001:db8:1::/48\n192.0.2.7\n")
    refused = {"REFUSED_ADDRESSES": str(file), "BOTS": "accept"}
    for address in ("198.51.100.9", "::ffff:198.51.100.9", "2001:db8:1::5", "192.0.2.7", "192.0.2.7:4711"):
        for access in (PAGE, OPEN, OF_ENVIRONMENT):
            assert is_refused(access, VISITOR, from_page=False, address=address, **refused)
        assert not is_refused(SERVER, VISITOR, from_page=False, address=address, **refused)
    for address in ("198.51.101.1", "2001:db8:2::5", "192.0.2.8", "unknown", ""):
        assert not is_refused(PAGE, VISITOR, from_page=True, address=address, **refused)


networks = st.lists(
    st.builds(
        lambda number, length: ipaddress.ip_network((number >> (32 - length) << (32 - length), length)),
        st.integers(0, 2**32 - 1).map(lambda number: number & 0xFF0000FF),
        st.integers(1, 32),
    )
    | st.builds(lambda number: ipaddress.ip_network((number << 64, 64)), st.integers(0, 50)),
    max_size=12,
)
addresses = st.integers(0, 2**32 - 1).map(lambda number: ipaddress.ip_address(number & 0xFF0000FF)) | st.integers(
    0, 50
).map(lambda number: ipaddress.IPv6Address((number << 64) + 1))


@given(networks, addresses)
@examples(100)
def test_an_address_is_found_in_any_networks(
    given: list[Network], address: ipaddress.IPv4Address | ipaddress.IPv6Address
) -> None:
    assert (address in Networks(given)) == any(address in network for network in given)


@pytest.mark.parametrize(
    ("content", "told"), [("10.0.0.0/8\nnonsense\n", "line 2"), ("10.0.0.1/8\n", "line 1"), (None, "can be read")]
)
def test_a_bad_list_stops_the_start_and_names_the_line(tmp_path: Path, content: str | None, told: str) -> None:
    file = tmp_path / "networks"
    if content is not None:
        file.write_text(content)
    with pytest.raises(SettingsError) as refused:
        settings(REFUSED_ADDRESSES=str(file))
    assert str(refused.value).startswith("HOURLEDGER_REFUSED_ADDRESSES ")
    assert told in str(refused.value)


def test_the_choice_is_one_of_two() -> None:
    with pytest.raises(SettingsError, match="HOURLEDGER_BOTS must be refuse or accept, not 'yes'"):
        settings(BOTS="yes")
