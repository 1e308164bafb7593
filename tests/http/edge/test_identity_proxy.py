"""Behind a proxy that knows who asks: its users read, nobody else does, and nothing is believed of others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio
from litestar.types import HTTPScope

from service.access.errors import Unauthorized
from service.access.key_changes import create_key
from service.access.keys import Kind
from service.access.site_changes import add_site
from service.app import Service
from service.settings import SettingsError, load
from sql.database import Database
from tests.conftest import Servers
from tests.http.support.site import Site, an_event, new_site, refused, unique
from tests.support.access import DEFAULT
from tests.support.waiting import wait_until

HEADER = "X-Forwarded-User"
USER = {HEADER: "anna@example.com", "x-forwarded-for": "192.0.2.7"}
SUMMARY = "/api/analytics/summary"


@pytest_asyncio.fixture(scope="module")
async def behind(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service behind an identity proxy on this machine, with a second site."""
    proxies = "127.0.0.1, 10.0.0.0/8"
    async with new_site(
        servers,
        folder,
        HOURLEDGER_LOG="debug",
        HOURLEDGER_TRUSTED_USER_HEADER=HEADER,
        HOURLEDGER_TRUSTED_PROXIES=proxies,
    ) as site:
        database = Database(site.database_url, connections=1)
        await add_site(database, "blog")
        await database.close()
        path = f"{SUMMARY}?site=blog"
        wait_until(
            lambda: site.client.get(path, headers=USER).status_code, "it is known", holds=lambda seen: seen == 200
        )
        yield site
        site.check_log()
        assert "anna" not in site.log()


def test_users_read_everything_and_nobody_else_does(behind: Site) -> None:
    for path in (SUMMARY, f"{SUMMARY}?site=blog", "/metrics", "/schema", "/api/analytics/track"):
        assert behind.client.get(path, headers=USER).status_code == 200, path
        for nobody in ({}, {HEADER: ""}, {"x-forwarded-for": "192.0.2.7"}):
            refused(behind.client.get(path, headers=nobody), 401, "unauthorized")
    access = behind.client.get("/api/analytics/access", headers=USER).json()
    assert (access["kind"], access["sites"], access["may_change_settings"]) == ("read", ["default", "blog"], False)
    assert (access["key"], access["signed_in"]) == ("HOURLEDGER_TRUSTED_USER_HEADER", False)
    # Sending is as open as before.
    assert behind.client.post("/e", json=an_event()).status_code == 200


async def test_users_change_nothing_without_a_key(behind: Site) -> None:
    path = f"/api/analytics/segments/{unique('mine')}"
    body = {"filters": {"event_type": "opened"}}
    assert "saving and deleting need an admin key" in refused(
        behind.client.put(path, json=body, headers=USER), 403, "wrong_kind"
    )
    refused(behind.client.get("/api/analytics/settings", headers=USER), 403, "wrong_kind")
    database = Database(behind.database_url, connections=1)
    key = await create_key(database, Kind.ADMIN, None)
    await database.close()
    keyed = USER | {"authorization": f"Bearer {key}"}
    wait_until(lambda: behind.client.put(path, json=body, headers=keyed).is_success, "it is known")
    # A key that is wrong is not made up for by the user.
    wrong = USER | {"authorization": f"Bearer {key}x"}
    refused(behind.client.get(SUMMARY, headers=wrong), 401, "unauthorized")


@pytest.mark.parametrize("peer", ["127.0.0.1", "192.0.2.9", "::ffff:192.0.2.9", "11.0.0.1", "", "nonsense"])
def test_the_header_is_believed_of_the_named_proxies_alone(tmp_path: Path, peer: str) -> None:
    """Being on this machine is not enough: every user of it could send the header."""
    environment = {"HOURLEDGER_TRUSTED_USER_HEADER": HEADER, "HOURLEDGER_TRUSTED_PROXIES": "10.0.0.0/8"}
    service = Service(load(environment | {"HOURLEDGER_DATA_DIR": str(tmp_path)}))
    service.sites.replace([DEFAULT], [])
    headers = {b"host": b"localhost", b"x-forwarded-user": b"anna", b"x-forwarded-for": b"10.0.0.1"}

    def scope(address: str) -> HTTPScope:
        asked = {"method": "GET", "query_string": b"", "client": (address, 1), "http_version": "1.1", "scheme": "http"}
        return cast("HTTPScope", asked)

    with pytest.raises(Unauthorized):
        service.gate.check(scope(peer), SUMMARY, headers)
    found = service.gate.check(scope("10.1.2.3"), SUMMARY, headers)
    assert found is not None
    assert found.everywhere


def test_it_does_not_start_when_anybody_could_send_the_header() -> None:
    with pytest.raises(SettingsError, match="but HOURLEDGER_TRUSTED_PROXIES is not set: name"):
        load({"HOURLEDGER_TRUSTED_USER_HEADER": HEADER})
    for wrong in ("a b", "Cookie", "authorization", "x:y", "Origin"):
        with pytest.raises(SettingsError, match="must be a header that only the proxy sets"):
            load({"HOURLEDGER_TRUSTED_USER_HEADER": wrong, "HOURLEDGER_TRUSTED_PROXIES": "10.0.0.1"})
    beyond = {"HOURLEDGER_HOST": "0.0.0.0"}  # noqa: S104
    with pytest.raises(SettingsError):
        load(beyond).check_reads()
    load(beyond | {"HOURLEDGER_TRUSTED_USER_HEADER": HEADER, "HOURLEDGER_TRUSTED_PROXIES": "10.0.0.1"}).check_reads()
