"""The address of a sender: the connection's, or the one that a trusted proxy names."""

from __future__ import annotations

from typing import Any

import pytest

from service.access.rules import Rules
from service.access.sites import Sites
from service.http.gate import Gate
from service.settings import SettingsError, load
from sql.database import Database
from tests.support.log import NOW

PROXY, VISITOR, OTHER = "10.0.0.7", "192.0.2.1", "192.0.2.2"


def address(client: str | None, forwarded: str | None = None, trusted: str = "") -> str:
    settings = load({"HOURLEDGER_TRUSTED_PROXIES": trusted})
    sites = Sites(Database(""))
    gate = Gate(settings, sites, Rules(sites, settings, lambda: NOW, lambda _: None))
    scope: Any = {"client": client and (client, 1)}
    return gate.address(scope, {b"x-forwarded-for": forwarded.encode()} if forwarded is not None else {})


def test_an_address_is_that_of_the_connection() -> None:
    assert address(VISITOR) == VISITOR
    assert address(VISITOR, OTHER) == VISITOR
    assert address(None) == ""


@pytest.mark.parametrize("trusted", [PROXY, "10.0.0.0/8", f"2001:db8::/32, {PROXY}"])
def test_a_trusted_proxy_names_the_sender(trusted: str) -> None:
    assert address(PROXY, VISITOR, trusted) == VISITOR
    # What the sender wrote itself stands before what the proxy wrote.
    assert address(PROXY, f"{OTHER}, {VISITOR}", trusted) == VISITOR
    assert address(PROXY, f"{VISITOR},{PROXY}", trusted) == VISITOR
    assert address(PROXY, "", trusted) == address(PROXY, None, trusted) == PROXY
    assert address(OTHER, VISITOR, trusted) == OTHER


def test_a_proxy_on_this_machine_is_trusted() -> None:
    assert address("127.0.0.1", VISITOR) == address("::1", VISITOR) == VISITOR
    assert address("127.0.0.1") == "127.0.0.1"


def test_a_setting_of_no_network_is_refused() -> None:
    with pytest.raises(SettingsError, match="HOURLEDGER_TRUSTED_PROXIES"):
        load({"HOURLEDGER_TRUSTED_PROXIES": "proxy.example"})
