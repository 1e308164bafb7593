"""Files, the page and JSON answers are compressed, and are not sent again to a client that has them."""

from __future__ import annotations

import gzip

import httpx
import pytest

from service.http.compression import LEAST_BYTES
from service.web.assets import VENDOR
from tests.http.support.site import Site, an_event, unique

FILES = (
    *("/", "/assets/core/main.js", "/assets/core/page.css"),
    *("/assets/uPlot.iife.min.js", "/assets/swagger-ui-bundle.js"),
)
SCRIPTS = ("/h.js", "/analytics.js", "/analytics.mjs", "/analytics.d.mts")
DATA = ("/e", "/api/analytics/rollups", "/schema/openapi.json", "/metrics")
# Their text changes between two requests.
CHANGING = ("/metrics", "/api/analytics/rollups")
# Set-up has compressed them by brotli, too.
BUILT = ("/h.js", "/analytics.js", "/analytics.mjs")
# What a browser fetches to send events, over the wire.
MOST_BYTES_OF_CLIENT = 4_608
EVENTS = 30


@pytest.fixture(scope="module")
def filled(site: Site) -> Site:
    """Give a service whose answers are longer than the least that is compressed."""
    site.send(*(an_event(event_type=unique("compressed")) for _ in range(EVENTS)))
    return site


def sent(site: Site, path: str, encoding: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """Return the answer to a GET, and its body as it came over the wire."""
    with site.client.stream("GET", path, headers={"accept-encoding": encoding, **headers}) as answer:
        return answer, b"".join(answer.iter_raw())


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS, *DATA])
def test_it_is_compressed_for_a_client_that_takes_gzip(filled: Site, path: str) -> None:
    plain, body = sent(filled, path, "identity")
    assert "content-encoding" not in plain.headers
    assert len(body) >= LEAST_BYTES
    for accepted in ("gzip", "br, gzip;q=0.8", "deflate,  GZIP", "*"):
        answer, packed = sent(filled, path, accepted)
        takes_brotli = path in BUILT and accepted[0] in "b*"
        assert answer.headers["content-encoding"] == ("br" if takes_brotli else "gzip")
        assert int(answer.headers["content-length"]) == len(packed) < len(body) * 0.7
        assert path in CHANGING or takes_brotli or gzip.decompress(packed) == body
        assert answer.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, br", "xgzip"])
def test_a_client_that_does_not_take_gzip_gets_none(filled: Site, accepted: str) -> None:
    for path in ("/h.js", "/e"):
        answer, _ = sent(filled, path, accepted)
        is_brotli = path == "/h.js" and "br" in accepted
        assert answer.headers.get("content-encoding") == ("br" if is_brotli else None)


@pytest.mark.parametrize("path", [*FILES, *SCRIPTS, "/e", "/health/live", "/schema/openapi.json"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_what_the_client_has_is_not_sent_again(filled: Site, path: str, encoding: str) -> None:
    first, _ = sent(filled, path, encoding)
    tag = first.headers["etag"]
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
        again, body = sent(filled, path, encoding, **{"if-none-match": known})
        assert (again.status_code, body, again.headers["etag"]) == (304, b"", tag)
        assert "content-encoding" not in again.headers
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert sent(filled, path, encoding, **{"if-none-match": '"other"'})[0].status_code == 200


def test_data_that_changed_is_sent(filled: Site) -> None:
    kind = unique("tagged")
    path = f"/e?event_type={kind}"
    before, _ = sent(filled, path, "gzip")
    filled.send(an_event(event_type=kind))
    after, _ = sent(filled, path, "gzip", **{"if-none-match": before.headers["etag"]})
    assert after.status_code == 200
    assert after.headers["etag"] != before.headers["etag"]


def test_an_answer_to_a_post_is_compressed_and_has_no_tag(filled: Site) -> None:
    steps = [{"event_type": unique("step")} for _ in range(10)]
    answer = filled.client.post("/api/analytics/funnels", json={"hours": 2, "steps": steps})
    assert answer.status_code == 200
    assert answer.headers["content-encoding"] == "gzip"
    assert "etag" not in answer.headers


def test_a_refusal_has_no_tag(filled: Site) -> None:
    answer, _ = sent(filled, "/nothing/here", "gzip")
    assert "etag" not in answer.headers


def test_streams_pass_as_they_are(filled: Site) -> None:
    with filled.client.stream("GET", "/api/analytics/live", headers={"accept-encoding": "gzip"}) as answer:
        assert b"event: update" in next(answer.iter_raw())
        assert "content-encoding" not in answer.headers
    answer, body = sent(filled, "/api/analytics/export?format=ndjson&hours=1", "gzip")
    assert "content-encoding" not in answer.headers
    assert body.count(b"\n") >= EVENTS


def test_a_head_has_the_same_headers(filled: Site) -> None:
    for path in ("/h.js", "/"):
        got, _ = sent(filled, path, "gzip")
        head = filled.client.head(path, headers={"accept-encoding": "gzip"})
        for name in ("etag", "content-length", "content-encoding", "vary"):
            assert head.headers[name] == got.headers[name]


def test_the_client_is_small_on_the_wire(filled: Site) -> None:
    _, packed = sent(filled, "/h.js", "gzip, deflate, br, zstd")
    assert packed == (VENDOR / "analytics.js.br").read_bytes()
    assert len(packed) <= MOST_BYTES_OF_CLIENT
