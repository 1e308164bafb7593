"""Countries and regions of addresses, from a file that may change at any time."""

from __future__ import annotations

from pathlib import Path

import pytest
import structlog

from service.settings import SettingsError, load
from service.visitors.places import NOWHERE, Place, Places
from tests.support.mmdb import SWISS, mmdb

ZURICH = Place("CH", "CH-ZH")
FILE = mmdb(
    {
        "203.0.113.0/24": SWISS,
        "2001:db8::/32": {"country": {"iso_code": "DE"}, "subdivisions": []},
        "198.51.100.0/25": {"country": "FR", "region": "Bretagne"},
        "198.51.100.128/25": {"country_code": "AT"},
        "192.0.2.0/25": {"country": {"names": {"en": "Nowhere"}}, "subdivisions": [{"iso_code": "ZH"}]},
        "192.0.2.128/25": {"country": {"iso_code": "<b>"}},
    }
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "places.mmdb"
    found.write_bytes(FILE)
    return found


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("203.0.113.77", ZURICH),
        ("203.0.113.77:4711", ZURICH),
        ("::ffff:203.0.113.77", ZURICH),
        ("2001:db8::7", Place("DE")),
        ("198.51.100.1", Place("FR")),
        ("198.51.100.200", Place("AT")),
        *((unknown, NOWHERE) for unknown in ("192.0.2.1", "192.0.2.200", "127.0.0.1", "::1", "unknown", "")),
    ],
)
def test_an_address_has_the_place_that_the_file_tells(file: Path, address: str, place: Place) -> None:
    assert Places(file, file.parent).place(address) == place


def test_a_change_of_the_file_counts_and_leaves_no_copies(file: Path) -> None:
    places = Places(file, file.parent)
    places.look_again()
    # Overwritten in place, as `cp` does.
    file.write_bytes(mmdb({"203.0.113.0/24": {"country": "DE"}}))
    assert places.place("203.0.113.77") == ZURICH
    places.look_again()
    assert places.place("203.0.113.77") == Place("DE")
    # Renamed onto it, as tools that fetch such files do.
    (file.parent / "new").write_bytes(FILE)
    (file.parent / "new").rename(file)
    places.look_again()
    assert places.place("203.0.113.77") == ZURICH
    assert list(file.parent.iterdir()) == [file]


def test_a_file_with_a_damaged_part_knows_no_place_there(file: Path) -> None:
    """Opening such a file works, because it reads only the end."""
    file.write_bytes(FILE.replace(b"country\xe1", b"country\xff"))
    places = Places(file, file.parent)
    with structlog.testing.capture_logs() as logs:
        assert [places.place(address) for address in ("203.0.113.77", "203.0.113.78")] == [NOWHERE, NOWHERE]
    assert [line["event"] for line in logs] == ["a part of the file of places is damaged"]


def test_a_file_that_is_damaged_or_gone_leaves_what_was_known_until_it_is_back(file: Path) -> None:
    places = Places(file, file.parent)
    file.write_bytes(FILE[:200])
    places.look_again()
    assert places.place("203.0.113.77") == ZURICH
    file.unlink()
    places.look_again()
    assert places.place("203.0.113.77") == ZURICH
    file.write_bytes(mmdb({"203.0.113.0/24": {"country": "DE"}}))
    places.look_again()
    assert places.place("203.0.113.77") == Place("DE")
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("content", [None, b"", FILE[:200], b"no places"])
def test_a_file_that_cannot_be_read_stops_the_start(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "places.mmdb"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        load({"HOURLEDGER_GEOIP": str(file)})
    assert str(refused.value).startswith("HOURLEDGER_GEOIP must name a file in MaxMind's format (.mmdb)")
    assert repr(str(file)) in str(refused.value)


def test_a_file_that_can_be_read_is_the_setting(file: Path) -> None:
    assert load({"HOURLEDGER_GEOIP": str(file)}).geoip == file
    assert load({}).geoip is None
