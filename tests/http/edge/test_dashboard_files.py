"""The page at `/` needs no other server, and its policy stops injected scripts."""

from __future__ import annotations

import gzip
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import httpx
import pytest

from service.web import dashboard_files
from service.web.assets import SOURCES

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
VENDORED = {f"/assets/{name}": Path(name) for name in SOURCES if name.startswith("uPlot")}
FILES = {path: dashboard_files.MEDIA_TYPES[file.suffix] for path, file in (dashboard_files.files() | VENDORED).items()}
# Files that the page loads when it first needs them.
LATER = {path for path in FILES if path.startswith(("/assets/views/", "/assets/shared/"))}
OWN = ("/assets/core/", "/assets/overview/", "/assets/shared/", "/assets/views/")
OWN_SCRIPTS = [path for path in FILES if path.startswith(OWN) and path.endswith(".js")]
# Words that readers stumbled over.
CLUMSY = (
    *("hour that is not over", "split by nothing", "ask again", "all that are over", "went no further"),
    *("who came back", r"\bis there\b", r"\b1 (hours|days|events|bytes)"),
)
# The limit for all files together, gzipped.
MOST_BYTES = 150 * 1024


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
    assert len(answer.content) > 100
    header = answer.headers["content-security-policy"]
    assert dict(directive.strip().split(" ", 1) for directive in header.split(";")) == POLICY


def test_the_page_needs_nothing_but_its_assets(client: httpx.Client) -> None:
    page = Tags(client.get("/").text)
    assert "".join(page.inline).strip() == ""
    for tag, attributes in page.found:
        assert not any(name.startswith("on") or name == "style" for name in attributes), (tag, attributes)
        address = attributes.get("src") or attributes.get("href")
        assert address is None or urljoin("/", address).partition("?")[0] in FILES


def test_the_page_names_its_assets_relative_to_itself(client: httpx.Client) -> None:
    """So that it works under any prefix of a proxy."""
    addresses = [attributes.get("src") or attributes.get("href") for _, attributes in Tags(client.get("/").text).found]
    scripts = "".join(client.get(path).text for path in OWN_SCRIPTS)
    assert not [address for address in addresses if address and address.startswith("/")]
    assert not re.search(r"[\"'`]/(api|assets|e|h\.js)\b", scripts)


def test_what_the_first_page_needs_is_loaded_at_once_and_nothing_else(client: httpx.Client) -> None:
    tags = Tags(client.get("/").text).found
    named = {urljoin("/", attributes.get("src") or attributes.get("href") or "") for _, attributes in tags}
    assert LATER
    assert named & FILES.keys() == FILES.keys() - LATER


def test_what_is_loaded_later_is_named_by_a_script(client: httpx.Client) -> None:
    scripts = "".join(client.get(path).text for path in OWN_SCRIPTS)
    # The page of share links names the script of its own.
    for path in LATER - {f"/{dashboard_files.SHARED_SCRIPT.decode()}"}:
        name = Path(path)
        assert re.search(rf"""/{re.escape(name.name)}"|style\("{name.stem}"\)|\["{name.stem}", \(\)""", scripts), path


def test_scripts_are_served_without_their_comments_and_with_all_other_lines(client: httpx.Client) -> None:
    for path in OWN_SCRIPTS:
        written = dashboard_files.files()[path].read_text(encoding="utf-8").split("\n")
        served = client.get(path).text.split("\n")
        assert served == ["" if line.lstrip().startswith("//") else line for line in written], path


def test_values_of_events_reach_the_page_as_text_only(client: httpx.Client) -> None:
    for path in OWN_SCRIPTS:
        script = client.get(path).text
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function", script)


def test_the_page_speaks_plainly(client: httpx.Client) -> None:
    texts = " ".join(
        re.sub(r"^\s*//.*$", "", client.get(path).text, flags=re.MULTILINE) for path in ("/", *OWN_SCRIPTS)
    )
    for words in CLUMSY:
        assert not re.search(words, texts, re.IGNORECASE), words


def test_the_page_of_a_share_link_is_the_same_with_another_script(client: httpx.Client) -> None:
    script, other = dashboard_files.SCRIPT.decode(), dashboard_files.SHARED_SCRIPT.decode()
    page, shared = client.get("/").text, client.get("/shared").text
    assert (page.count(script), shared.count(script), shared.count(other)) == (1, 0, 1)
    assert shared.replace(other, script).replace("<html data-shared ", "<html ") == page


def test_the_page_is_small(client: httpx.Client) -> None:
    assert sum(len(gzip.compress(client.get(path).content)) for path in FILES) <= MOST_BYTES


def test_the_page_holds_no_data(client: httpx.Client) -> None:
    before = client.get("/").content
    client.post("/e", json={"event_type": "x-on-the-page", "session_id": "s", "timestamp": "2025-10-18T01:00Z"})
    assert client.get("/").content == before
