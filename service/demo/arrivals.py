"""How visitors of the demo arrive: by which link, on which page, and how often at a time."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from service.demo.pace import DAY
from service.demo.product import HOST, Choice
from service.visitors.sources import Link, Sources
from service.web import assets

# The letter goes out on Thursdays, and is read on that day.
LETTER_WEEKDAY = 3
LETTER_HOURS = range(8, 22)
LAUNCH_DAYS = 6
# In days.
LAUNCH_HALF_LIFE = 1.0
# The first and the last day after the launch on which advertisements run.
ADVERTISED = (7, 17)
ALWAYS, LETTER, LAUNCH, ADVERTISEMENT = "always", "letter", "launch", "advertisement"
BLOG = {"/blog/risk-in-plain-words": 3.0, "/blog/300-backtests": 4.0}


class Way(NamedTuple):
    """A way to arrive. weight: how often, while it is `when`. pages: where, with weights."""

    weight: float
    link: Link
    pages: dict[str, float]
    when: str = ALWAYS


NEW = (
    Way(26, Link(), {"/": 5, "/portfolio": 1}),
    Way(22, Link("https://www.google.com/"), {"/": 3, **BLOG}),
    Way(4, Link("https://duckduckgo.com/"), {"/": 2, **BLOG}),
    Way(3, Link("https://www.bing.com/"), {"/": 2, "/docs/import-holdings": 1}),
    Way(
        5, Link("https://chatgpt.com/", "chatgpt.com"), {"/": 1, "/docs/first-steps": 2, "/blog/risk-in-plain-words": 2}
    ),
    Way(2, Link("https://www.perplexity.ai/"), BLOG),
    Way(6, Link("https://www.reddit.com/"), {"/": 1, **BLOG}),
    Way(4, Link("https://www.linkedin.com/"), {"/": 3, "/blog/300-backtests": 2}),
    Way(4, Link("https://github.com/"), {"/docs/import-holdings": 2, "/changelog": 1}),
    Way(6, Link("https://indexfund-notes.example/tools"), {"/": 1, "/backtest": 1}),
    Way(16, Link("", "letter", "email", "monthly-letter"), {"/blog/300-backtests": 3, "/changelog": 2}, LETTER),
    Way(130, Link("https://news.ycombinator.com/item"), {"/blog/we-are-live": 3, "/": 2}, LAUNCH),
    Way(60, Link("https://www.producthunt.com/", "producthunt", "referral", "launch"), {"/": 4, "/pricing": 1}, LAUNCH),
    Way(30, Link("https://t.co/", "twitter", "social", "launch"), {"/blog/we-are-live": 1}, LAUNCH),
    Way(14, Link("https://www.google.com/", "google", "cpc", "know-your-risk"), {"/": 1, "/pricing": 3}, ADVERTISEMENT),
    Way(5, Link("", "linkedin", "paid-social", "know-your-risk"), {"/pricing": 1}, ADVERTISEMENT),
)
RETURNING = (
    Way(80, Link(), {"/portfolio": 5, "/screener": 3, "/backtest": 2}),
    Way(10, Link("https://www.google.com/"), {"/": 2, "/portfolio": 1}),
    Way(60, Link("", "letter", "email", "monthly-letter"), {"/changelog": 2, "/blog/300-backtests": 1}, LETTER),
)


class Arrival(NamedTuple):
    """page: where somebody arrives. members: of the properties of its view, as JSON."""

    page: str
    members: str


class Arrivals:
    """The ways of new visitors, or of those who return, before and after a launch."""

    def __init__(self, ways: Sequence[Way], launch: datetime) -> None:
        sources = Sources(assets.VENDOR / assets.SOURCES_OF_VISITS)
        self._ways = ways
        self._launch = launch
        self._members = [_members(way.link, sources) for way in ways]
        self._pages = [Choice(way.pages) for way in ways]
        # The choice of this hour; it is the same for all of its visits.
        self._hour: datetime | None = None
        self._choice = Choice({0: 1.0})

    def at(self, moment: datetime, chance: random.Random) -> Arrival:
        """Return how somebody arrives at a moment."""
        hour = moment.replace(minute=0, second=0, microsecond=0)
        if hour != self._hour:
            weights = {place: self._weight(way, hour) for place, way in enumerate(self._ways)}
            self._hour, self._choice = hour, Choice(weights)
        place = self._choice.of(chance)
        return Arrival(self._pages[place].of(chance), self._members[place])

    def _weight(self, way: Way, hour: datetime) -> float:
        age = (hour - self._launch) / DAY
        if way.when == LETTER:
            return way.weight if hour.weekday() == LETTER_WEEKDAY and hour.hour in LETTER_HOURS else 0
        if way.when == LAUNCH:
            return way.weight * 0.5 ** (age / LAUNCH_HALF_LIFE) if 0 <= age < LAUNCH_DAYS else 0
        if way.when == ADVERTISEMENT:
            return way.weight if ADVERTISED[0] <= age < ADVERTISED[1] else 0
        return way.weight


def _members(link: Link, sources: Sources) -> str:
    """Return what the client and the service write about a link."""
    name, channel = sources.of(link, HOST)
    written = {
        "referrer": link.referrer,
        "utm_source": link.source,
        "utm_medium": link.medium,
        "utm_campaign": link.campaign,
        "$source": name,
        "$channel": channel,
    }
    return msgspec.json.encode({name: text for name, text in written.items() if text})[1:-1].decode()
