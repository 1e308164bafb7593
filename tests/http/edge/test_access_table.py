"""Every route of the service against every kind of key."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from service.app import Service
from service.http.gate import BATCH_PATHS, SINGLE_PATHS
from service.settings import load
from tests.http.conftest import WRITE_KEY
from tests.http.support.access_table import ASSETS, COLUMNS, MAY, TABLE, Line
from tests.http.support.keyed import Guarded


def test_every_route_stands_in_the_table(tmp_path: Path) -> None:
    settings = load({"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "HOURLEDGER_DATA_DIR": str(tmp_path)})
    app = Service(settings).litestar
    served = {(method, route.path_format) for route in app.routes for method in route.methods}
    served |= {(method, path) for path in (*SINGLE_PATHS, *BATCH_PATHS) for method in ("GET", "POST", "OPTIONS")}
    served = {(method, path) for method, path in served if not path.startswith(ASSETS)}
    assert {(line.method, line.path) for line in TABLE} == served
    assert len(TABLE) == len(served)


@pytest.mark.parametrize("line", TABLE, ids=str)
def test_a_route_lets_in_whom_the_table_says(keyed_sites: Guarded, line: Line) -> None:
    seen, expected = {}, {}
    for column, status in zip(COLUMNS, MAY[line.may], strict=True):
        answer = keyed_sites.ask(line, keyed_sites.keys[column])
        seen[column], expected[column] = line.told(answer.status_code), line.expected(status)
        assert secrets_in(answer, keyed_sites, line) == []
        if status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["error"]["code"] == "unauthorized"
        if status == 403:
            assert answer.json()["error"]["code"] in ("wrong_kind", "wrong_site")
    assert seen == expected


def secrets_in(answer: httpx.Response, found: Guarded, line: Line) -> list[str]:
    """Return the keys whose secrets an answer tells; the environment's write key is told where it is meant to be."""
    told = answer.text + str(answer.headers)
    is_meant = line.path == "/api/analytics/client"
    return [
        name
        for name, key in found.keys.items()
        if key[13:] and (key[13:] if key.startswith("hl") else key) in told and not (key == WRITE_KEY and is_meant)
    ]
