"""Browser, system and device of today's agents, and how long an agent that means harm may take."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.access.bots import AGENT_CHARACTERS, MOST_AGENTS
from service.visitors.agents import DEVICES, LONGEST_NAME, Agent, Agents
from tests.support.sent_events import examples

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
FIREFOX = "Gecko/20100101 Firefox/145.0"
APPLE = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
AGENTS = {
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) {FIREFOX}": ("Firefox", "Windows", "desktop"),
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36": ("Chrome", "Windows", "desktop"),
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36 Edg/141.0.0.0": ("Edge", "Linux", "desktop"),
    f"Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:145.0) {FIREFOX}": ("Firefox", "Linux", "desktop"),
    f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36": ("Chrome", "Chrome OS", "desktop"),
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {APPLE} Version/18.1 Safari/605.1.15": (
        "Safari", "macOS", "desktop",
    ),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {APPLE} Version/18.1 Mobile/15E148 Safari/604.1": (
        "Safari", "iOS", "phone",
    ),
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) {APPLE} CriOS/141.0.0.0 Mobile/15E148 Safari/604.1": (
        "Chrome", "iOS", "phone",
    ),
    f"Mozilla/5.0 (iPad; CPU OS 16_1 like Mac OS X) {APPLE} Version/16.1 Mobile/15E148 Safari/604.1": (
        "Safari", "iOS", "tablet",
    ),
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36": ("Chrome", "Android", "phone"),
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Safari/537.36": ("Chrome", "Android", "tablet"),
    f"Mozilla/5.0 (Linux; Android 13; SM-S901B) {CHROME} Mobile Safari/537.36 [FBAN/FBIOS;FBAV/450.0]": (
        "Facebook", "Android", "phone",
    ),
    "Mozilla/5.0 (Android 15; Mobile; rv:145.0) Gecko/145.0 Firefox/145.0": ("Firefox", "Android", "phone"),
    f"Mozilla/5.0 (Web0S; Linux/SmartTV) {CHROME} Safari/537.36 WebAppManager": ("Chrome", "webOS", "tv"),
    f"Mozilla/5.0 (PlayStation 5 8.00) {APPLE} Version/16.0 Safari/605.1.15": ("Safari", None, "tv"),
    "": (None, None, None),
    "Odd-Browser-4711/1.0": (None, None, None),
}  # fmt: skip
# Repeated beginnings of patterns, as an agent has them that is made to take long.
HOSTILE = (
    "Android 4; x ",
    "Opera Mini/",
    "(",
    "Linux; Android 1; SAMSUNG-",
    "CPU OS ",
    "9.",
    " ",
    "Mobile Safari/",
    ";",
)


@pytest.fixture(scope="module")
def agents() -> Agents:
    return Agents()


def test_todays_agents_are_known(agents: Agents) -> None:
    assert {agent: tuple(agents.read(agent)) for agent in AGENTS} == AGENTS


@given(st.text(st.characters(max_codepoint=255, exclude_characters="\0"), max_size=AGENT_CHARACTERS))
@examples(100)
def test_any_agent_tells_short_names_or_nothing(agent: str) -> None:
    told = Agents().read(agent)
    assert all(name is None or (name.isprintable() and len(name) <= LONGEST_NAME) for name in told)
    assert told.device is None or told.device in DEVICES


def test_the_slowest_agent_takes_a_bounded_time(agents: Agents) -> None:
    began = time.thread_time()
    for piece in HOSTILE:
        for number in range(10):
            agents.read((f"Mozilla/5.0 ({number} " + piece * AGENT_CHARACTERS)[:AGENT_CHARACTERS])
    assert (time.thread_time() - began) / (10 * len(HOSTILE)) < 0.01


def test_the_memory_of_agents_is_bounded(agents: Agents) -> None:
    for number in range(MOST_AGENTS + 10):
        agents.read(f"x{number}")
    assert agents.read.cache_info().currsize == MOST_AGENTS
    assert agents.read("x0") == Agent()
