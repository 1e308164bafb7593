"""The visitors of the demo. A visitor is only a number, which decides all about the person: nothing is remembered."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

# The shares of all visitors that sign up in their first visit, and of these that stay for long.
MEMBERS = 0.12
LOYAL = 0.45
# Each has a weight: browser, system, kind of device, screen.
DEVICES = (
    (22, "Chrome", "Windows", "desktop", "1920x1080"),
    (9, "Chrome", "macOS", "desktop", "1512x982"),
    (8, "Safari", "macOS", "desktop", "1440x900"),
    (7, "Firefox", "Windows", "desktop", "1920x1080"),
    (5, "Firefox", "Linux", "desktop", "2560x1440"),
    (6, "Edge", "Windows", "desktop", "1536x864"),
    (20, "Safari", "iOS", "phone", "393x852"),
    (15, "Chrome", "Android", "phone", "412x915"),
    (3, "Samsung Internet", "Android", "phone", "384x854"),
    (3, "Safari", "iOS", "tablet", "820x1180"),
    (1, "Chrome", "Android", "tablet", "800x1280"),
    (1, "Chrome", "webOS", "tv", "1920x1080"),
)
# Each has a weight: country, region, language.
PLACES = (
    (9, "DE", "DE-BY", "de-DE"), (8, "DE", "DE-BE", "de-DE"), (6, "DE", "DE-NW", "de-DE"),
    (9, "CH", "CH-ZH", "de-CH"), (4, "CH", "CH-BE", "de-CH"), (3, "CH", "CH-GE", "fr-CH"),
    (5, "AT", "AT-9", "de-AT"), (9, "GB", "GB-ENG", "en-GB"), (2, "GB", "GB-SCT", "en-GB"),
    (7, "US", "US-CA", "en-US"), (5, "US", "US-NY", "en-US"), (3, "US", "US-TX", "en-US"),
    (6, "FR", "FR-IDF", "fr-FR"), (5, "NL", "NL-NH", "nl-NL"), (3, "SE", "SE-AB", "sv-SE"),
    (3, "PL", "PL-14", "pl-PL"), (3, "ES", "ES-MD", "es-ES"), (3, "IT", "IT-25", "it-IT"),
    (3, "CA", "CA-ON", "en-CA"), (2, "IN", "IN-KA", "en-IN"), (1, "JP", "JP-13", "ja-JP"), (1, "BR", "BR-SP", "pt-BR"),
)  # fmt: skip
# As many times as it weighs.
_DEVICES = tuple(each[1:] for each in DEVICES for _ in range(each[0]))
_PLACES = tuple(each[1:] for each in PLACES for _ in range(each[0]))
# Odd numbers, which scatter consecutive ones over the range.
_SCATTERING = 2_654_435_761
_ANOTHER = 2_246_822_519
_RANGE = 1 << 32


class Person(NamedTuple):
    """A visitor. is_member: whether it signs up in its first visit. told, seen: members of properties, as JSON.

    told: what the service tells about a visitor, in each event. seen: what a browser adds to each page view.
    """

    is_member: bool
    told: str
    seen: str


def person_of(visitor: int) -> Person:
    """Return the person with a number."""
    number = (visitor * _ANOTHER + 7_919) % _RANGE
    browser, system, device, screen = _DEVICES[number % len(_DEVICES)]
    country, region, language = _PLACES[number // len(_DEVICES) % len(_PLACES)]
    told = {"$browser": browser, "$os": system, "$device": device, "$country": country, "$region": region}
    return Person(is_member(visitor), _members(told), _members({"screen": screen, "language": language}))


def is_member(visitor: int) -> bool:
    """Return whether a visitor signs up in the first visit."""
    return visitor * _SCATTERING % _RANGE < MEMBERS * _RANGE


def is_loyal(visitor: int) -> bool:
    """Return whether a visitor is a member that stays for long."""
    return visitor * _SCATTERING % _RANGE < MEMBERS * LOYAL * _RANGE


def _members(values: dict[str, str]) -> str:
    return msgspec.json.encode(values)[1:-1].decode()
