"""The part of JSON Schema that the description of the API uses; an unknown keyword is an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
TELLING = {"description", "default", "examples"}
CHECKING = {
    *("$ref", "anyOf", "const", "enum", "type", "format", "minimum", "maximum", "minLength", "maxLength"),
    *("items", "maxItems", "properties", "required", "additionalProperties"),
}


def resolved(document: Any, part: Any) -> Any:
    """Return the target of a part's `$ref`, or the part itself when it has none."""
    while isinstance(part, dict) and "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def faults(document: Any, schema: Any, value: Any, at: str = "$") -> Iterator[str]:
    """Give the faults of a value. A name outside `properties` is a fault unless `additionalProperties` allows it."""
    schema = resolved(document, schema)
    assert schema.keys() <= TELLING | CHECKING, f"{at}: {schema.keys() - TELLING - CHECKING}"
    if "anyOf" in schema:
        found = [list(faults(document, each, value, at)) for each in schema["anyOf"]]
        yield from [] if [] in found else found[0]
    if value not in schema.get("enum", [schema.get("const", value)]):
        yield f"{at}: {value!r} is not what it must be"
    if not _fits(schema.get("type", list(TYPES)), value):
        yield f"{at}: {value!r} is not of type {schema['type']}"
    elif isinstance(value, dict):
        yield from _object_faults(document, schema, value, at)
    elif isinstance(value, list):
        yield from _array_faults(document, schema, value, at)
    else:
        yield from _scalar_faults(schema, value, at)


def _fits(types: str | list[str], value: object) -> bool:
    names = [types] if isinstance(types, str) else types
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, TYPES[name]) for name in names if name != "boolean")


def _object_faults(document: Any, schema: Any, value: dict[str, Any], at: str) -> Iterator[str]:
    known = schema.get("properties", {})
    others = schema.get("additionalProperties", not known)
    for name in set(schema.get("required", ())) - value.keys():
        yield f"{at}: {name} is missing"
    for name, held in value.items():
        if name in known:
            yield from faults(document, known[name], held, f"{at}.{name}")
        elif isinstance(others, dict):
            yield from faults(document, others, held, f"{at}.{name}")
        elif not others:
            yield f"{at}: {name} is unknown"


def _array_faults(document: Any, schema: Any, value: list[Any], at: str) -> Iterator[str]:
    if len(value) > schema.get("maxItems", len(value)):
        yield f"{at}: {len(value)} items"
    for index, item in enumerate(value):
        yield from faults(document, schema.get("items", {}), item, f"{at}[{index}]")


def _scalar_faults(schema: Any, value: Any, at: str) -> Iterator[str]:
    size = len(value) if isinstance(value, str) else 0
    if size < schema.get("minLength", 0) or size > schema.get("maxLength", size):
        yield f"{at}: {size} characters"
    if isinstance(value, int | float) and not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        yield f"{at}: {value} is out of range"
    if isinstance(value, str) and schema.get("format") == "date-time":
        try:
            datetime.fromisoformat(value)
        except ValueError:
            yield f"{at}: {value!r} is no time"
