"""The description of the API is complete and true: the tests try its statements against a service."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
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
    Operation,
    asked_for,
    bad_values,
    content_of,
    examples,
    good_values,
    text_of,
)
from tests.http.support.schemas import faults
from tests.http.support.site import HOUR, Json, Site, an_event, now, refused, unique

READS = [operation for operation in OPERATIONS if operation.method == "GET"]
QUERIES = [operation for operation in READS if operation.parameters]
WRITES = [operation for operation in OPERATIONS if "Sending" in operation.told["tags"]]
# Operations that take a body but store no events: questions and saved segments.
TOLD_BY_BODY = [operation for operation in OPERATIONS if "requestBody" in operation.told and operation not in WRITES]
TOGETHER = {"from": "to", "to": "from", "top": "by"}
CREDENTIALS: dict[str, dict[str, dict[str, str]]] = {
    "readToken": {"headers": {"authorization": f"Bearer {READ_TOKEN}"}},
    "writeKey": {"headers": {"authorization": f"Bearer {WRITE_KEY}"}},
    "writeKeyHeader": {"headers": {"x-write-key": WRITE_KEY}},
    "writeKeyQuery": {"params": {"key": WRITE_KEY}},
}
each_of = pytest.mark.parametrize


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
    assert served["servers"] == [{"url": "/"}]


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


@pytest.fixture(scope="session")
def told(site: Site) -> Site:
    """Give a service that holds the examples of events and of saved objects."""
    for operation in [*WRITES, *TOLD_BY_BODY]:
        for name, content_type, value in operation.bodies:
            send(site, operation, content_type, value, name)
    return site


def send(site: Site, operation: Operation, content_type: str, value: Any, marked: str) -> httpx.Response:
    """Send the example of a body, with ids that no other test sends."""
    headers = {"content-type": content_type}
    if isinstance(value, str):
        text = re.sub(r'("event_id": "[^"]*)', rf"\1{marked}", value)
        return site.client.request(operation.method, operation.address, content=text, headers=headers)
    return site.client.request(operation.method, operation.address, json=with_ids(value, marked), headers=headers)


def with_ids(value: Any, marked: str) -> Any:
    if isinstance(value, list):
        return [with_ids(each, marked) for each in value]
    if isinstance(value, dict):
        held = {name: with_ids(each, marked) for name, each in value.items()}
        return held | {"event_id": held["event_id"] + marked} if "event_id" in held else held
    return value


@each_of("operation", WRITES, ids=str)
def test_examples_of_events_are_accepted_and_answered_as_told(site: Site, operation: Operation) -> None:
    marked = unique("")
    expected = {name: example["value"] for _, name, example in examples(operation)}
    sent = list(operation.bodies)
    assert {name for name, _, _ in sent} == expected.keys()
    for name, content_type, value in sent:
        if content_type == "application/json":
            schema = operation.told["requestBody"]["content"][content_type]["schema"]
            assert list(faults(DOCUMENT, schema, value)) == []
        answer = send(site, operation, content_type, value, marked)
        assert answer.status_code == 200, answer.text
        operation.check(answer)
        assert numbers(answer.json()) == numbers(expected[name])


@each_of("operation", TOLD_BY_BODY, ids=str)
def test_examples_of_other_bodies_are_accepted_and_answered_as_told(told: Site, operation: Operation) -> None:
    expected = {name: example["value"] for _, name, example in examples(operation)}
    sent = list(operation.bodies)
    assert {name for name, _, _ in sent} == expected.keys()
    for name, content_type, value in sent:
        schema = operation.told["requestBody"]["content"][content_type]["schema"]
        assert list(faults(DOCUMENT, schema, value)) == []
        answer = send(told, operation, content_type, value, "")
        assert answer.status_code == 200, answer.text
        operation.check(answer)
        assert answer.json().keys() == expected[name].keys()


def numbers(value: Any) -> Any:
    """Return an answer without its texts, because they differ between answers."""
    if isinstance(value, dict):
        return {name: numbers(held) for name, held in value.items()}
    return [numbers(held) for held in value] if isinstance(value, list) else "" if isinstance(value, str) else value


@each_of("operation", READS, ids=str)
def test_examples_of_answers_are_what_is_answered(told: Site, operation: Operation) -> None:
    asked = 0
    for content_type, _, example in examples(operation):
        if (question := asked_for(example)) is None:
            continue
        asked += 1
        path, query = question
        answer = answer_of(told, "GET", path, params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == content_type
        operation.check(answer)
        if content_type == "application/json":
            assert content_of(answer).keys() == example["value"].keys()
    assert asked


def answer_of(site: Site, method: str, path: str, **asked: Any) -> httpx.Response:
    """Return an answer; of a stream, which never ends, return the first message."""
    with site.client.stream(method, path, **asked) as answer:
        if answer.headers["content-type"].startswith("text/event-stream"):
            told = next(answer.iter_text())
            return httpx.Response(
                answer.status_code, headers={"content-type": answer.headers["content-type"]}, text=told
            )
        answer.read()
    return answer


def ask(site: Site, operation: Operation, parameter: Json, value: str) -> httpx.Response:
    """Ask with one parameter, and with the parameters that it requires."""
    query = operation.needed | {parameter["name"]: value}
    for other in operation.parameters:
        if other["name"] == TOGETHER.get(parameter["name"]):
            query[other["name"]] = good_values(other)[0]
    return site.client.get(operation.address, params=query)


@each_of("operation", QUERIES, ids=str)
def test_parameters_are_those_that_are_known(site: Site, operation: Operation) -> None:
    message = refused(site.client.get(operation.address, params={"nothing": "1"}), 400, "unknown_parameter", "nothing")
    described = {parameter["name"] for parameter in operation.parameters}
    assert described == set(message.removeprefix("unknown parameter; this path takes: ").split(", "))


@each_of("operation", QUERIES, ids=str)
def test_what_the_page_fills_in_is_accepted(told: Site, operation: Operation) -> None:
    query = {
        each["name"]: text_of(each["schema"]["default"]) for each in operation.parameters if "default" in each["schema"]
    }
    assert told.client.get(operation.address, params=query | operation.needed).status_code == 200


@each_of("operation", QUERIES, ids=str)
def test_parameters_take_what_is_told_and_nothing_else(told: Site, operation: Operation) -> None:
    for parameter in operation.parameters:
        name = parameter["name"]
        for value in good_values(parameter):
            answer = ask(told, operation, parameter, value)
            assert answer.status_code == 200, f"{name}={value}: {answer.text}"
            operation.check(answer)
        for value in bad_values(parameter):
            answer = ask(told, operation, parameter, value)
            refused(answer, 400, "invalid_parameter", name)
            operation.check(answer)


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
