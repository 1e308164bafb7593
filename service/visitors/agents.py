"""Tells the browser, the system and the kind of device from a User-Agent. The package ua-parser has the list.

An agent is looked at and never stored.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from service.access.bots import MOST_AGENTS

if TYPE_CHECKING:
    from ua_parser import PartialResult

# The list tells a browser on phones, and one within an app, from the same browser on desks.
VARIANT = re.compile(r"^Mobile | UI/WKWebView$|(?: Mobile)?(?: (?:iOS|WebView|Mobile))$")
SYSTEMS = {"Mac OS X": "macOS", "Mac OS": "macOS", "Web0S": "webOS"} | dict.fromkeys(
    ("Arch Linux", "CentOS", "Debian", "Fedora", "Gentoo", "Kubuntu", "Linux Mint", "Mandriva", "Mint", "Red Hat",
     "Slackware", "SUSE", "Ubuntu"),
    "Linux",
)  # fmt: skip
# The list takes some names from the agent itself.
LONGEST_NAME = 64
# Consoles are seen on a television, too.
DEVICES = {
    "tv": re.compile(
        r"smart-?tv|web0s|\btv\b|hbbtv|appletv|googletv|bravia|crkey|\baft[a-z]|roku|playstation|xbox|nintendo"
    ),
    "tablet": re.compile(r"ipad|tablet|playbook|kindle|(?:android|silk)(?!.*mobile)"),
    "phone": re.compile(r"iphone|ipod|mobi|windows phone|opera mini|blackberry|kaios|android"),
    "desktop": re.compile(r"windows|macintosh|x11|cros|linux"),
}


class Agent(NamedTuple):
    """What an agent tells; None for what it does not tell."""

    browser: str | None = None
    os: str | None = None
    device: str | None = None


class Agents:
    """Reads agents, and remembers what the last ones told."""

    def __init__(self) -> None:
        self._look_up = known_agents()
        self.read = lru_cache(MOST_AGENTS)(self._read)

    def _read(self, agent: str) -> Agent:
        found = self._look_up(agent)
        browser = _bounded(VARIANT.sub("", found.user_agent.family)) if found.user_agent else None
        system = _bounded(SYSTEMS.get(found.os.family, found.os.family)) if found.os else None
        lower = agent.lower()
        return Agent(browser, system, next((kind for kind, form in DEVICES.items() if form.search(lower)), None))


@cache
def known_agents() -> Callable[[str], PartialResult]:
    """Return a function that looks up an agent in the list."""
    from ua_parser import Domain  # noqa: PLC0415  # the list takes 0.2 s to load, and no command needs that
    from ua_parser.loaders import load_lazy_builtins  # noqa: PLC0415
    from ua_parser.regex import Resolver  # noqa: PLC0415

    browsers, systems, _ = load_lazy_builtins()
    # Its third part, models of devices, would take twice the time and the memory.
    look_up = Resolver((browsers, systems, []))
    return lambda agent: look_up(agent, Domain.USER_AGENT | Domain.OS)


def _bounded(name: str) -> str | None:
    return name if name.isprintable() and 0 < len(name) <= LONGEST_NAME else None
