"""Parameters in the description of the API are those that a service takes."""

from __future__ import annotations

import httpx

from service.reports.measured import NUMBER_METRICS
from tests.http.support.described import (
    QUERIES,
    Operation,
    answer_of,
    bad_values,
    each_of,
    good_values,
    text_of,
)
from tests.http.support.site import Json, Site, refused

TOGETHER = {
    "from": "to",
    "to": "from",
    "top": "by",
    "tz": "interval",
    "compare_from": "compare_to",
    "compare_to": "compare_from",
    "of": "metric",
}


def ask(site: Site, operation: Operation, parameter: Json, value: str) -> httpx.Response:
    """Ask with one parameter, and with the parameters that it requires."""
    query = operation.needed | {parameter["name"]: value}
    if value in NUMBER_METRICS:
        query["of"] = "properties.n"
    for other in operation.parameters:
        if other["name"] == TOGETHER.get(parameter["name"]):
            query[other["name"]] = good_values(other)[0]
    return answer_of(site, "GET", operation.address, params=query)


@each_of("operation", QUERIES, ids=str)
def test_parameters_are_those_that_are_known(site: Site, operation: Operation) -> None:
    message = refused(site.client.get(operation.address, params={"nothing": "1"}), 400, "unknown_parameter", "nothing")
    described = {parameter["name"] for parameter in operation.parameters}
    assert described == set(message.removeprefix("unknown parameter 'nothing'; this path takes: ").split(", "))


@each_of("operation", QUERIES, ids=str)
def test_what_the_page_fills_in_is_accepted(told: Site, operation: Operation) -> None:
    query = {
        each["name"]: text_of(each["schema"]["default"]) for each in operation.parameters if "default" in each["schema"]
    }
    assert answer_of(told, "GET", operation.address, params=query | operation.needed).status_code == 200


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
