"""Examples in the description of the API are what a service accepts and answers."""

from __future__ import annotations

from typing import Any

from tests.http.support.described import (
    DOCUMENT,
    READS,
    TOLD_BY_BODY,
    WRITES,
    Operation,
    answer_of,
    asked_for,
    content_of,
    each_of,
    examples,
    send,
)
from tests.http.support.schemas import faults
from tests.http.support.site import Site, unique


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
