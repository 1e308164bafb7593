"""Tells bots and headless browsers from visitors, by their User-Agent and by the operator's list of addresses.

Agents and addresses are looked at and never stored. The package crawler-user-agents has the list of agents.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from service.access.addresses import Address, address_of
from service.access.errors import Bot
from service.access.rules import Access
from service.settings import Settings
from service.settings.values import Network

# No agent in the list is longer, with what bots write around it.
AGENT_CHARACTERS = 384
# Judgements that a worker remembers, of the agents that came last. Visitors of a day have a few thousand.
MOST_AGENTS = 4_096
# A literal of the list is found by its beginning. No literal is shorter.
BEGINNING = 3
ESCAPED = re.compile(r"\\([^\w\s])")
SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


class Agents:
    """Known agents of bots. patterns: regular expressions, most of which are literals.

    An alternation of 1,500 literals takes Python 1.5 ms for an agent of a visitor. Looking up each three characters of
    the agent among the beginnings of the literals takes 0.06 ms.
    """

    def __init__(self, patterns: Iterable[str]) -> None:
        literals: defaultdict[str, list[str]] = defaultdict(list)
        others = []
        for pattern in patterns:
            literal = ESCAPED.sub(r"\1", pattern)
            if SPECIAL.search(ESCAPED.sub("", pattern)) or len(literal) < BEGINNING:
                others.append(pattern)
            else:
                literals[literal[:BEGINNING]].append(literal)
        self._literals: Mapping[str, Sequence[str]] = dict(literals)
        self._others = re.compile("|".join(others) or "(?!)")
        self.is_bot = lru_cache(MOST_AGENTS)(self._judge)

    def _judge(self, agent: str) -> bool:
        """Return whether an agent is a bot's."""
        beginnings = self._literals
        for place in range(len(agent) - BEGINNING + 1):
            for literal in beginnings.get(agent[place : place + BEGINNING], ()):
                if agent.startswith(literal, place):
                    return True
        return self._others.search(agent) is not None


class Networks:
    """Some networks, however many: a look takes the logarithm of their number."""

    def __init__(self, networks: Sequence[Network]) -> None:
        self._firsts: dict[int, list[int]] = {}
        self._lasts: dict[int, list[int]] = {}
        # Merged, so that they are sorted and none overlaps another.
        self._add(4, collapse_addresses(each for each in networks if isinstance(each, IPv4Network)))
        self._add(6, collapse_addresses(each for each in networks if isinstance(each, IPv6Network)))

    def _add(self, version: int, merged: Iterable[Network]) -> None:
        kept = list(merged)
        self._firsts[version] = [int(each.network_address) for each in kept]
        self._lasts[version] = [int(each.broadcast_address) for each in kept]

    def __contains__(self, address: Address) -> bool:
        """Return whether an address is in one of them."""
        number = int(address)
        place = bisect_right(self._firsts[address.version], number)
        return place > 0 and number <= self._lasts[address.version][place - 1]


class Bots:
    """Refuses bots. Whoever has a server key is none."""

    def __init__(self, settings: Settings) -> None:
        self._agents = known_agents() if settings.bots == "refuse" else None
        self._networks = Networks(settings.refused_addresses) if settings.refused_addresses else None

    def check(self, access: Access, agent: str, address: str, *, from_page: bool) -> None:
        """Raise Bot for a sender of events that is one.

        agent: its User-Agent, of at most AGENT_CHARACTERS. from_page: whether a page sends. Only senders that look like
        pages must have an agent of a browser: those that say so, and those with a write key, which is for pages.
        """
        if not access.is_public:
            return
        if self._networks is not None and (known := address_of(address)) is not None and known in self._networks:
            raise Bot(
                "the operator of this service takes no events from your network: HOURLEDGER_REFUSED_ADDRESSES has it"
            )
        if self._agents is not None and access.is_page(has_origin=from_page) and self._agents.is_bot(agent):
            raise Bot(
                "the User-Agent is that of a bot, a program or a headless browser, and these are not counted:"
                " a program sends with a server key, and HOURLEDGER_BOTS=accept takes all"
            )


def known_agents() -> Agents:
    """Return the agents of the list that is installed."""
    import crawleruseragents  # noqa: PLC0415  # it reads its list when it is loaded, and no command needs that

    return Agents(each["pattern"] for each in crawleruseragents.CRAWLER_USER_AGENTS_DATA)
