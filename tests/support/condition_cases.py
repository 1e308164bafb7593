"""The shared cases of the `where` grammar: texts that the page composes, that people write, that the parser refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from service.questions.conditions import Condition

CASES: dict[str, list[dict[str, Any]]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
COMPOSED = CASES["composed"]
WRITTEN = CASES["written"]
REFUSED = CASES["refused"]
# Every text that the parser accepts.
TEXTS = [case["text"] for case in (*COMPOSED, *WRITTEN)]


def conditions_of(case: dict[str, Any]) -> tuple[Condition, ...]:
    """Return the conditions that the parser must return for a case."""
    read = case["read"]
    rows = [(case["path"], case["operator"], read)] if "path" in case else read
    return tuple(Condition(tuple(path), operator, tuple(values)) for path, operator, values in rows)
