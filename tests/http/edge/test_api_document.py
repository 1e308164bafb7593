"""The description of the API is a well-formed document of OpenAPI 3.1."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.http.support.described import DOCUMENT, OPERATIONS, Operation
from tests.http.support.schemas import CHECKING, TELLING, faults, resolved
from tests.http.support.site import Json


def schemas_of(part: Any) -> Iterator[Json]:
    """Give every schema below a part of the document."""
    if isinstance(part, dict):
        for name, held in part.items():
            if name == "schema":
                yield from subschemas(held)
            elif name not in ("examples", "example", "schemas"):
                yield from schemas_of(held)
    elif isinstance(part, list):
        for held in part:
            yield from schemas_of(held)


def subschemas(schema: Json) -> Iterator[Json]:
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ())]
    inner += [schema[name] for name in ("items", "additionalProperties") if isinstance(schema.get(name), dict)]
    for each in inner:
        yield from subschemas(each)


def test_every_schema_is_one() -> None:
    written = [*DOCUMENT["components"]["schemas"].values()]
    for schema in [*schemas_of(DOCUMENT), *(each for whole in written for each in subschemas(whole))]:
        assert schema.keys() <= CHECKING | TELLING
        assert "$ref" not in schema or schema.keys() == {"$ref"}
        assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()
        for value in [*schema.get("examples", ()), *([schema["default"]] if "default" in schema else ())]:
            assert list(faults(DOCUMENT, schema, value)) == []


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        yield from [part["$ref"]] if "$ref" in part else ()
    for held in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(held)


def test_what_is_shared_is_there_and_used() -> None:
    shared = {f"#/components/{kind}/{name}" for kind, held in DOCUMENT["components"].items() for name in held}
    assert set(references(DOCUMENT)) == {name for name in shared if "/securitySchemes/" not in name}
    used = {name for operation in OPERATIONS for each in operation.told["security"] for name in each}
    assert used == DOCUMENT["components"]["securitySchemes"].keys()


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_an_operation_is_well_formed(operation: Operation) -> None:
    told = operation.told
    assert told.keys() >= {"operationId", "tags", "summary", "security", "responses"}
    (tag,) = told["tags"]  # the page lists an operation once for each tag
    assert tag in {known["name"] for known in DOCUMENT["tags"]}
    named = [parameter["name"] for parameter in told.get("parameters", ()) if parameter.get("in") == "path"]
    assert named == re.findall(r"{(\w+)}", operation.path)
    for parameter in (resolved(DOCUMENT, each) for each in told.get("parameters", ())):
        assert parameter.keys() <= {"name", "in", "required", "description", "schema", "example"}
        assert parameter["in"] == "query" or parameter["required"] is True
    for status, answer in operation.statuses.items():
        assert answer["description"].endswith((".", "`."))
        for content in answer["content"].values():
            assert content.keys() <= {"schema", "example", "examples"}
            assert status != 200 or content["examples"], "a 200 without an example"


def test_operations_are_told_apart() -> None:
    names = [operation.told["operationId"] for operation in OPERATIONS]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("operation", OPERATIONS, ids=str)
def test_examples_are_what_the_schemas_say(operation: Operation) -> None:
    for answer in operation.statuses.values():
        for content in answer["content"].values():
            values = [example["value"] for example in content.get("examples", {}).values()]
            for value in [*values, *([content["example"]] if "example" in content else ())]:
                assert list(faults(DOCUMENT, content["schema"], value)) == []
