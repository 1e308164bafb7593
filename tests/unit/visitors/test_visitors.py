"""What is told is what the settings ask for, and nothing is told of what is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from service.ingest.event import Event
from service.settings import EDGE_PROPERTIES, SettingsError, load
from service.visitors.visitors import Visitors
from service.web import assets
from tests.support.log import NOW
from tests.support.mmdb import SWISS, mmdb

PHONE = (
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36"
)
ALL = {
    "$browser": "Chrome",
    "$os": "Android",
    "$device": "phone",
    "$country": "CH",
    "$region": "CH-ZH",
    "$source": "Google",
    "$channel": "search",
}
SENT = {"referrer": "https://www.google.com/"}


@pytest.fixture
def places(tmp_path: Path) -> Path:
    file = tmp_path / "places.mmdb"
    file.write_bytes(mmdb({"203.0.113.0/24": SWISS}))
    return file


def told(places: Path, agent: str = PHONE, address: str = "203.0.113.7", **environment: str) -> dict[str, str]:
    """Return what is added to a page view."""
    settings = load({"HOURLEDGER_GEOIP": str(places)} | environment)
    visitors = Visitors(settings, assets.VENDOR / assets.SOURCES_OF_VISITS, places.parent)
    sent = Event("e", "s", None, "page_viewed", None, None, json.dumps(SENT), demo_mode=False, timestamp=NOW)
    event = visitors.visitor(agent, address, "https://shop.example").event(sent)
    assert event._replace(properties=None) == sent._replace(properties=None)
    properties: dict[str, str] = json.loads(event.properties or "")
    assert properties.items() >= SENT.items()
    return {name: value for name, value in properties.items() if name not in SENT}


def test_all_is_told_unless_the_settings_ask_for_less(places: Path) -> None:
    assert told(places) == ALL
    assert {f"${name}" for name in EDGE_PROPERTIES} == set(ALL)
    for name in EDGE_PROPERTIES:
        assert told(places, HOURLEDGER_EDGE_PROPERTIES=name) == {f"${name}": ALL[f"${name}"]}
    few = told(places, HOURLEDGER_EDGE_PROPERTIES=" $device, country ")
    assert few == {"$device": "phone", "$country": "CH"}
    assert told(places, HOURLEDGER_EDGE_PROPERTIES="none") == {}


def test_what_is_not_known_is_absent(places: Path) -> None:
    nothing = told(places, "odd", "198.51.100.1")
    assert nothing == {"$source": "Google", "$channel": "search"}
    assert told(places, HOURLEDGER_GEOIP="") == {
        name: value for name, value in ALL.items() if name not in ("$country", "$region")
    }


@pytest.mark.parametrize("text", ["city", "none,os", "browser os", ","])
def test_a_name_that_is_none_stops_the_start(text: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load({"HOURLEDGER_EDGE_PROPERTIES": text})
    assert str(refused.value).startswith(
        "HOURLEDGER_EDGE_PROPERTIES must be none, or a comma-separated list of some of"
    )
    assert str(refused.value).endswith(f"not {text!r}")
