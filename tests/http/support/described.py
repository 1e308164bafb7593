"""The description of the API, taken apart into operations, requests and answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import msgspec
import pytest

from service.openapi.document import described, told_for
from tests.http.support.schemas import faults, resolved
from tests.http.support.site import Json, Site

DOCUMENT: Json = json.loads(told_for(datetime.now(UTC).date(), msgspec.json.encode(described())))


@dataclass(frozen=True)
class Operation:
    """One method of one path, and its description."""

    path: str
    method: str
    told: Json

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def parameters(self) -> list[Json]:
        """Return the parameters of the query."""
        found = [resolved(DOCUMENT, parameter) for parameter in self.told.get("parameters", ())]
        return [parameter for parameter in found if parameter["in"] == "query"]

    @property
    def needed(self) -> dict[str, str]:
        """Return a query with all required parameters."""
        return {each["name"]: good_values(each)[0] for each in self.parameters if each.get("required")}

    @property
    def address(self) -> str:
        """Return the path, with examples in place of its parameters."""
        for parameter in self.told.get("parameters", ()):
            if parameter.get("in") == "path":
                return self.path.replace(f"{{{parameter['name']}}}", parameter["example"])
        return self.path

    @property
    def statuses(self) -> dict[int, Json]:
        """Return the description of each status."""
        return {int(status): resolved(DOCUMENT, told) for status, told in self.told["responses"].items()}

    @property
    def bodies(self) -> Iterator[tuple[str, str, Any]]:
        """Give name, content type and value of each example of a body."""
        for content_type, content in self.told.get("requestBody", {}).get("content", {}).items():
            for name, example in content["examples"].items():
                yield name, content_type, example["value"]

    def answer(self, status: int, content_type: str) -> Json:
        """Return the description of an answer."""
        content = self.statuses[status]["content"]
        found = content_type.partition(";")[0]
        assert found in content, f"{self}: {status} of {content_type} is not described"
        return dict(content[found])

    def check(self, answer: httpx.Response) -> None:
        """Fail unless the answer matches its description."""
        assert answer.status_code in self.statuses, (
            f"{self}: {answer.status_code} is not described: {answer.text[:200]}"
        )
        told = self.answer(answer.status_code, answer.headers["content-type"])
        assert list(faults(DOCUMENT, told["schema"], content_of(answer))) == []
        for header in self.statuses[answer.status_code].get("headers", ()):
            assert header in answer.headers


OPERATIONS = [
    Operation(path, method.upper(), told) for path, item in DOCUMENT["paths"].items() for method, told in item.items()
]
# Operations of whoever signs in or may change settings. The tests of sign-ins, settings and links ask them.
GUARDED = [operation for operation in OPERATIONS if operation.told["tags"][0] in ("Signing in", "Settings", "Sharing")]
READS = [operation for operation in OPERATIONS if operation.method == "GET" and operation not in GUARDED]
QUERIES = [operation for operation in READS if operation.parameters]
WRITES = [operation for operation in OPERATIONS if "Sending" in operation.told["tags"]]
# Operations that take a body but store no events: questions and saved segments.
TOLD_BY_BODY = [
    operation for operation in OPERATIONS if "requestBody" in operation.told and operation not in [*WRITES, *GUARDED]
]
each_of = pytest.mark.parametrize


def content_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer, or its text when it is not JSON."""
    return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.text


def good_values(parameter: Json) -> list[str]:
    """Return values that a parameter takes by its description, the example first."""
    schema = parameter["schema"]
    values = [*schema.get("examples", ()), *schema.get("enum", ())]
    values += [schema[name] for name in ("default", "minimum", "maximum") if name in schema]
    if schema["type"] == "boolean":
        values += [True, False]
    return [text_of(value) for value in values]


def text_of(value: object) -> str:
    """Return a value as text for a query string."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def bad_values(parameter: Json) -> list[str]:
    """Return values that a parameter refuses by its description."""
    schema = parameter["schema"]
    values = [str(schema[name] + step) for name, step in (("minimum", -1), ("maximum", 1)) if name in schema]
    free = schema["type"] == "string" and "enum" not in schema and "format" not in schema
    return values if free else [*values, "no-such-value"]


def examples(operation: Operation, status: int = 200) -> Iterator[tuple[str, str, Json]]:
    """Give content type, name and example of each answer."""
    for content_type, content in operation.statuses[status]["content"].items():
        for name, example in content.get("examples", {}).items():
            yield content_type, name, example


def asked_for(example: Json) -> tuple[str, dict[str, str]] | None:
    """Return the path and query of an example's request; None when its summary names no GET request."""
    method, _, address = example["summary"].partition(" ")
    parts = urlsplit(address)
    return (parts.path, dict(parse_qsl(parts.query))) if method == "GET" and address.startswith("/") else None


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


def answer_of(site: Site, method: str, path: str, **asked: Any) -> httpx.Response:
    """Return an answer; of a stream, which never ends, return the first message."""
    with site.client.stream(method, path, **asked) as answer:
        if answer.headers.get("content-type", "").startswith("text/event-stream"):
            told = next(answer.iter_text())
            return httpx.Response(
                answer.status_code, headers={"content-type": answer.headers["content-type"]}, text=told
            )
        answer.read()
    return answer
