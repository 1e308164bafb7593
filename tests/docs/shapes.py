"""Whether output has the shape that a page shows: the same words, and numbers, ids and times in the same places.

Texts in JSON may differ, except for the codes and messages of errors.
"""

from __future__ import annotations

import json
import re
from typing import Any

VARIES = (
    (re.compile(r"postgresql://\S+"), "URL"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "HASH"),
    (re.compile(r"\d[\d,.]*"), "0"),
)

EXACT = ("code", "message")


def missing(shown: list[str], lines: list[str]) -> list[str]:
    """Return what is shown and has no line of its shape; JSON may be spread over lines."""
    there = {shape for line in lines for shape in shapes(line)}
    return [part for part in parts(shown) if not shapes(part) & there]


def parts(shown: list[str]) -> list[str]:
    """Join the lines of each JSON document."""
    found: list[str] = []
    for line in shown:
        if found and found[-1].startswith("{") and not is_json(found[-1]):
            found[-1] += line
        else:
            found.append(line)
    return found


def shapes(line: str) -> set[str]:
    """Return the shape of a line, as JSON or as text."""
    if is_json(line):
        return {repr(shape(json.loads(line)))}
    for pattern, word in VARIES:
        line = pattern.sub(word, line)
    return {line.strip()}


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: each if name in EXACT else shape(each) for name, each in sorted(value.items())}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


def is_json(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
