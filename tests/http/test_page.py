"""The page at `/`: complete without another server, and under a policy that no injected script gets around."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from service.web.assets import SOURCES
from service.web.page import FOLDER

POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "connect-src": "'self'",
    "img-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
ASSETS = [*FOLDER.iterdir(), *(Path(name) for name in SOURCES if "swagger" not in name)]
FILES = {"/": "text/html; charset=utf-8"} | {
    f"/assets/{path.name}": f"{TYPES[path.suffix]}; charset=utf-8" for path in ASSETS if path.suffix in TYPES
}
SCRIPTS = [path for path in FILES if path.endswith(".js") and "uPlot" not in path]


class Tags(HTMLParser):
    """The tags of a page, and the texts of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.found and self.cdata_elem is not None:
            self.inline.append(data)


@pytest.mark.parametrize(("path", "content_type"), FILES.items())
def test_the_page_and_its_assets_are_served(client: httpx.Client, path: str, content_type: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert int(answer.headers["content-length"]) == len(answer.content) > 100


@pytest.mark.parametrize("path", FILES)
def test_the_policy_allows_only_our_own_files(client: httpx.Client, path: str) -> None:
    header = client.get(path).headers["content-security-policy"]
    directives = dict(directive.strip().split(" ", 1) for directive in header.split(";"))
    assert directives == POLICY


def test_the_page_needs_nothing_but_its_assets(client: httpx.Client) -> None:
    page = Tags(client.get("/").text)
    assert page.inline == []
    for tag, attributes in page.found:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        address = attributes.get("src") or attributes.get("href")
        if address:
            assert address in FILES or (tag, address) == ("a", "/schema")
    scripts = [attributes["src"] for tag, attributes in page.found if tag == "script"]
    assert scripts == ["/assets/uPlot.iife.min.js", "/assets/main.js"]


@pytest.mark.parametrize("path", SCRIPTS)
def test_values_of_events_reach_the_page_as_text_only(client: httpx.Client, path: str) -> None:
    script = client.get(path).text
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script)


def test_the_page_holds_no_data(client: httpx.Client) -> None:
    before = client.get("/").content
    client.post("/e", json={"event_type": "x-on-the-page", "session_id": "s", "timestamp": "2025-10-18T01:00Z"})
    assert client.get("/").content == before
