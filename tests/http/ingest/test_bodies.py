"""Bodies of track requests: their limits, their encodings, and bodies that end early."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
import zlib
from collections.abc import Iterator
from time import monotonic
from typing import Any

import httpx
import pytest
from litestar.types import HTTPRequestEvent

from service.errors import TooLarge
from service.http.bodies import Body
from service.http.gunzip import FREE_BYTES, MOST_RATIO, gunzip
from service.ingest.admission import Budget
from tests.http.support.site import Site, an_event, refusal, refused, unique

MOST_FOR_ONE = 65_536
MOST_FOR_BATCH = 8_388_608
HEAD = b"POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"


def padded(body: bytes, length: int) -> bytes:
    """Return the JSON, padded to exactly `length` bytes with blanks that do not compress well."""
    blanks = bytes(b" \t\r\n"[number % 4] for number in range(256))
    return body + random.Random(1).randbytes(length - len(body)).translate(blanks)


def sent(**fields: Any) -> bytes:
    return json.dumps(an_event(**fields)).encode()


LIMITS = pytest.mark.parametrize(
    ("path", "most"), [("/e", MOST_FOR_ONE), ("/e/batch", MOST_FOR_BATCH)], ids=["one event", "batch"]
)


def body_for(path: str) -> bytes:
    return sent() if path == "/e" else b"[" + sent() + b"]"


@LIMITS
def test_a_body_has_a_largest_size(client: httpx.Client, path: str, most: int) -> None:
    body = body_for(path)
    assert client.post(path, content=padded(body, most)).status_code == 200
    refused(client.post(path, content=padded(body, most + 1)), 413, "too_large")


@LIMITS
def test_a_body_that_does_not_tell_its_size_has_the_same_limit(client: httpx.Client, path: str, most: int) -> None:
    def chunks(length: int) -> Iterator[bytes]:
        body = padded(body_for(path), length)
        for start in range(0, length, 50_000):
            yield body[start : start + 50_000]

    assert client.post(path, content=chunks(most)).status_code == 200
    refused(client.post(path, content=chunks(most + 1)), 413, "too_large")


@LIMITS
def test_a_body_that_says_it_is_too_large_is_refused_before_it_comes(site: Site, path: str, most: int) -> None:
    head = HEAD % path.encode() + b"Content-Length: %d\r\n\r\n" % (most + 1)
    status, body = site.raw(head)
    assert status == 413
    refusal(body, "too_large")


@LIMITS
def test_the_decoded_body_is_what_is_measured(client: httpx.Client, path: str, most: int) -> None:
    headers = {"content-encoding": "gzip"}
    body = body_for(path)
    for level in (0, 1):  # stored and deflated; higher levels take seconds for these blanks
        fits = gzip.compress(padded(body, most), level)
        assert client.post(path, content=fits, headers=headers).status_code == 200
        beyond = gzip.compress(padded(body, most + 1), level)
        refused(client.post(path, content=beyond, headers=headers), 413, "too_large")


@LIMITS
def test_a_gzip_bomb_is_stopped_while_it_is_decoded(client: httpx.Client, path: str, most: int) -> None:
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    bomb = b"".join(squeeze.compress(bytes(1_000_000)) for _ in range(60)) + squeeze.flush()
    assert len(bomb) < MOST_FOR_ONE
    refused(client.post(path, content=bomb, headers={"content-encoding": "gzip"}), 413, "too_large")
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            gunzip(bomb, most)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # The decoded body, and the growth of its buffer.
    assert peak < 1.6 * most + 200_000


def test_a_body_expands_no_more_than_it_is_worth(client: httpx.Client) -> None:
    squeezed = gzip.compress(b"[" + b" " * FREE_BYTES * 20 + b"]")
    assert MOST_RATIO * len(squeezed) < FREE_BYTES * 20
    headers = {"content-encoding": "gzip"}
    message = refused(client.post("/e/batch", content=squeezed, headers=headers), 413, "too_large")
    assert f"{MOST_RATIO} times" in message
    small = gzip.compress(b"[" + b" " * (FREE_BYTES - 2) + b"]")
    assert client.post("/e/batch", content=small, headers=headers).status_code == 200


def test_gzip_may_come_in_several_members(site: Site) -> None:
    session = unique("s")
    body = sent(session_id=session)
    members = gzip.compress(body[:20]) + gzip.compress(b"") + gzip.compress(body[20:])
    assert site.client.post("/e", content=members, headers={"content-encoding": "gzip"}).status_code == 200
    assert len(site.listed(session_id=session)) == 1


def test_many_tiny_members_cost_little(client: httpx.Client) -> None:
    members = gzip.compress(b" ") * 300_000
    began = monotonic()
    refused(client.post("/e/batch", content=members, headers={"content-encoding": "gzip"}), 400, "malformed")
    # This would take minutes if the decoder copied the rest for each member.
    assert monotonic() - began < 20


@pytest.mark.parametrize(
    "spoiled",
    [
        gzip.compress(sent())[:-1],
        gzip.compress(sent())[:30],
        gzip.compress(sent()) + b"rest",
        gzip.compress(sent())[:-8] + bytes(8),
        sent(),
        zlib.compress(sent()),
        b"",
    ],
    ids=["one byte short", "cut short", "something after it", "wrong checksum", "plain", "zlib", "empty"],
)
def test_what_is_not_whole_gzip_is_refused(client: httpx.Client, spoiled: bytes) -> None:
    refused(client.post("/e", content=spoiled, headers={"content-encoding": "gzip"}), 400, "malformed")


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd", "compress", "x", "gzip, gzip", "gzip, br"])
def test_other_encodings_are_not_supported(client: httpx.Client, encoding: str) -> None:
    for path in ("/e", "/e/batch"):
        answer = client.post(path, content=sent(), headers={"content-encoding": encoding})
        refused(answer, 415, "unsupported_encoding")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "identity", "Identity", ""])
def test_gzip_and_identity_are_supported_however_they_are_written(client: httpx.Client, encoding: str) -> None:
    body = gzip.compress(sent()) if "gzip" in encoding.lower() else sent()
    assert client.post("/e", content=body, headers={"content-encoding": encoding}).status_code == 200


def test_a_beacon_may_be_compressed(client: httpx.Client) -> None:
    headers = {"content-type": "text/plain;charset=UTF-8", "content-encoding": "gzip"}
    assert client.post("/e", content=gzip.compress(sent()), headers=headers).status_code == 200


def test_chunks_may_be_of_any_size(site: Site) -> None:
    session = unique("s")
    body = sent(session_id=session)
    chance = random.Random(1)
    chunks = b""
    rest = body
    while rest:
        piece, rest = rest[: (size := chance.randint(1, 9))], rest[size:]
        chunks += b"%x\r\n%b\r\n" % (len(piece), piece)
    status, answer = site.raw(HEAD % b"/e" + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert (status, answer["ok"]) == (200, True)
    assert len(site.listed(session_id=session)) == 1


@pytest.mark.parametrize("chunked", [False, True])
def test_nothing_of_half_a_body_is_stored_even_if_it_could_be_read(site: Site, chunked: bool) -> None:
    session = unique("s")
    lines = b"\n".join(sent(session_id=session) for _ in range(3)) + b"\n"
    head = HEAD % b"/e/batch" + b"Content-Type: application/x-ndjson\r\n"
    if chunked:
        half = head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(lines), lines)
    else:
        half = head + b"Content-Length: %d\r\n\r\n%b" % (len(lines) + 1, lines)
    status, answer = site.raw(half, cut_short=True)
    assert status == 400
    refusal(answer, "malformed")
    assert site.listed(session_id=session) == []


def test_half_bodies_leave_nothing_behind(site: Site) -> None:
    for _ in range(20):
        site.raw(HEAD % b"/e" + b"Content-Length: 60000\r\n\r\n" + b" " * 50_000, cut_short=True)
    assert site.client.post("/e", content=sent()).status_code == 200


async def test_no_more_is_asked_for_than_was_declared() -> None:
    pieces = iter([b"[1,", b"2]"])

    async def receive() -> HTTPRequestEvent:
        return {"type": "http.request", "body": next(pieces), "more_body": True}

    body = Body(Budget("batches", MOST_FOR_BATCH), MOST_FOR_BATCH, "192.0.2.1")
    assert await body.read(receive, {b"content-length": b"5"}) == b"[1,2]"
