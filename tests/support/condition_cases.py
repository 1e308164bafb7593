"""Conditions as the page composes them, as people write them, and what the parser refuses; see the JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.questions.conditions import Condition

CASES: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
COMPOSED = CASES["composed"]
WRITTEN = CASES["written"]
REFUSED = CASES["refused"]
# Every text that can be read.
TEXTS = [case["text"] for case in (*COMPOSED, *WRITTEN)]


def conditions_of(case: dict[str, Any]) -> tuple[Condition, ...]:
    """Return what the parser must read."""
    read = case["read"]
    rows = [(case["path"], case["operator"], read)] if "path" in case else read
    return tuple(Condition(tuple(path), operator, tuple(values)) for path, operator, values in rows)
