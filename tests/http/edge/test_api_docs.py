"""The description of the API is complete, is served, and tells who may ask and what is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
from litestar.routes import HTTPRoute

from service.app import Service
from service.http.gate import BATCH_PATHS, SINGLE_PATHS
from service.ingest.refusals import EXPECTED
from service.settings import load
from service.web import assets
from tests.http.conftest import READ_TOKEN, WRITE_KEY
from tests.http.support.described import (
    DOCUMENT,
    OPERATIONS,
    WRITES,
    Operation,
    answer_of,
    each_of,
)
from tests.http.support.site import HOUR, Site, an_event, now, refused, unique

CREDENTIALS: dict[str, dict[str, dict[str, str]]] = {
    "readToken": {"headers": {"authorization": f"Bearer {READ_TOKEN}"}},
    "writeKey": {"headers": {"authorization": f"Bearer {WRITE_KEY}"}},
    "writeKeyHeader": {"headers": {"x-write-key": WRITE_KEY}},
    "writeKeyQuery": {"params": {"key": WRITE_KEY}},
    # Known, though it may not do that.
    "shareLink": {"headers": {"authorization": f"Bearer {READ_TOKEN}"}},
    "adminKey": {"headers": {"authorization": f"Bearer {READ_TOKEN}"}},
}


def answered() -> Iterator[tuple[str, str]]:
    """Give path and method of every route of the service."""
    for route in Service(load({})).litestar.routes:
        # Litestar adds a route of its own for unknown paths below the page of the API.
        if isinstance(route, HTTPRoute) and route.path_format != "/schema/{path}":
            path = re.sub("^/assets/.*", "/assets/{name}", route.path_format)
            yield from ((path, method) for method in set(route.methods) - {"OPTIONS"})
    yield from ((path, method) for path in SINGLE_PATHS for method in ("GET", "POST"))
    yield from ((path, "POST") for path in BATCH_PATHS)


def test_everything_that_is_answered_is_described_and_nothing_else() -> None:
    assert {(operation.path, operation.method) for operation in OPERATIONS} == set(answered())


def test_the_document_is_served_as_it_is_written(site: Site) -> None:
    served = site.get("/schema/openapi.json")
    assert {name: served[name] for name in ("tags", "components", "paths")} == DOCUMENT
    assert served["openapi"].startswith("3.1.")
    assert served["info"]["title"] == "hourledger"
    assert served["servers"] == [{"url": ".."}]


@each_of("path", ["/schema", "/schema/page.js", "/schema/openapi.json", "/schema/nothing", "/schema/nothing.json"])
def test_the_page_has_a_policy_and_errors_are_as_everywhere(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    if "nothing" in path:
        refused(answer, 404, "not_found")
        return
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@each_of("name", assets.SOURCES)
def test_third_party_files_are_served_as_they_were_installed(client: httpx.Client, name: str) -> None:
    answer = client.get(f"/assets/{name}")
    assert answer.content == (assets.VENDOR / name).read_bytes()
    assert answer.headers["content-type"].startswith(("text/css", "text/javascript"))
    assert answer.headers["cache-control"] == "no-cache"


def test_the_fields_of_an_event_are_those_that_are_taken(site: Site) -> None:
    fields = DOCUMENT["components"]["schemas"]["SentEvent"]["properties"]
    assert fields.keys() == EXPECTED.keys()
    for name, schema in fields.items():
        if most := schema.get("maxLength"):
            events = [an_event(event_type=unique("long")) | {name: "x" * size} for size in (most, most + 1)]
            answer = site.send(*events)
            assert (answer["rejected"], answer["errors"][0]["field"]) == (1, name)
            assert answer["errors"][0]["index"] == 1


REFUSED: dict[int, dict[str, Any]] = {
    400: {"content": b"["},
    413: {"content": b"x" * (8 * 1024 * 1024 + 1)},
    415: {"content": b"{}", "headers": {"content-encoding": "br"}},
    422: {"json": an_event(at=now() + 48 * HOUR)},
}


@each_of("operation", WRITES, ids=str)
def test_refusals_of_events_are_told(site: Site, operation: Operation) -> None:
    for status, body in REFUSED.items():
        answer = site.client.post(operation.path, **body)
        # A batch is never refused for one of its events, and a single event is not a batch.
        assert answer.status_code == (status if status in operation.statuses else 400)
        operation.check(answer)


@each_of("operation", OPERATIONS, ids=str)
def test_who_may_ask_is_told(guarded: Site, operation: Operation) -> None:
    def asked(**credentials: Any) -> httpx.Response:
        body = b"[" if "requestBody" in operation.told else None
        answer = answer_of(guarded, operation.method, operation.address, content=body, **credentials)
        operation.check(answer)
        return answer

    security = operation.told["security"]
    assert (asked().status_code == 401) is bool(security)
    for credentials in (CREDENTIALS[name] for each in security for name in each):
        assert asked(**credentials).status_code != 401


@each_of("operation", OPERATIONS, ids=str)
def test_unknown_hosts_are_told(site: Site, operation: Operation) -> None:
    answer = site.client.request(operation.method, operation.address, headers={"host": "evil.example"})
    assert answer.status_code == 421
    operation.check(answer)
