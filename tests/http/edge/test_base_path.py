"""The service under a prefix that a proxy passes on (HOURLEDGER_BASE_PATH). It answers without the prefix, too."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote

import pytest
import pytest_asyncio

from service.settings import load
from tests.conftest import Servers
from tests.http.conftest import READ_TOKEN
from tests.http.support.gate import OPEN, READER, READS, TRACK_PATHS, body_for
from tests.http.support.site import Site, an_event, new_site, refused, unique

PREFIX = "/tools/stats"


@pytest_asyncio.fixture(scope="module")
async def prefixed(servers: Servers, folder: Path) -> AsyncIterator[Site]:
    """Give a service under PREFIX that needs a token."""
    async with new_site(servers, folder, HOURLEDGER_BASE_PATH=f"{PREFIX}/", HOURLEDGER_READ_TOKEN=READ_TOKEN) as site:
        yield site
        site.check_log()


@pytest.mark.parametrize("path", [*OPEN, *READS, "/schema", "/schema/openapi.json", "/assets/uPlot.min.css"])
def test_an_answer_is_the_same_with_and_without_the_prefix(prefixed: Site, path: str) -> None:
    for headers in ({}, READER):
        without, under = (prefixed.client.get(each, headers=headers) for each in (path, PREFIX + path))
        assert (under.status_code, under.headers["content-type"]) == (
            without.status_code,
            without.headers["content-type"],
        )
        if "metrics" not in path and path not in TRACK_PATHS:
            assert under.content == without.content


@pytest.mark.parametrize("path", TRACK_PATHS)
def test_events_are_taken_under_the_prefix(prefixed: Site, path: str) -> None:
    answer = prefixed.client.post(PREFIX + path, content=body_for(path))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("odd", ["a/b", "/a//b/", "ä ?&", "tools/stats/x"])
def test_an_id_with_slashes_is_found_under_the_prefix(prefixed: Site, odd: str) -> None:
    name = f"{unique('session')}{odd}"
    prefixed.send(an_event(session_id=name))
    for part in (name.replace("?", "%3F").replace(" ", "%20"), quote(name, safe="")):
        answer = prefixed.client.get(f"{PREFIX}/api/analytics/sessions/{part}", headers=READER)
        assert answer.status_code == 200, answer.text
        assert answer.json()["events"][0]["session_id"] == name


def test_the_prefix_alone_leads_to_the_page(prefixed: Site) -> None:
    answer = prefixed.client.get(PREFIX)
    assert (answer.status_code, answer.headers["location"]) == (308, f"{PREFIX}/")
    assert prefixed.client.get(PREFIX, follow_redirects=True).text == prefixed.client.get("/").text


@pytest.mark.parametrize("path", ["/schema/", f"{PREFIX}/schema/"])
def test_the_page_of_the_api_has_no_slash_at_its_end(prefixed: Site, path: str) -> None:
    answer = prefixed.client.get(path, headers=READER)
    assert (answer.status_code, answer.headers["location"]) == (308, "../schema")
    followed = prefixed.client.get(path, headers=READER, follow_redirects=True)
    assert (followed.status_code, followed.url.path) == (200, path.rstrip("/"))


@pytest.mark.parametrize("path", [f"{PREFIX}x/h.js", "/tools/h.js", f"{PREFIX}{PREFIX}/h.js", f"/{PREFIX}/h.js"])
def test_another_prefix_is_not_found(prefixed: Site, path: str) -> None:
    refused(prefixed.client.get(path, headers=READER), 404, "not_found")


@pytest.mark.parametrize(("text", "path"), [("", ""), ("/", ""), ("/stats", "/stats"), ("/a/b-c.d_e~/", "/a/b-c.d_e~")])
def test_a_prefix_may_end_with_a_slash(text: str, path: str) -> None:
    assert load({"HOURLEDGER_BASE_PATH": text}).base_path == path
