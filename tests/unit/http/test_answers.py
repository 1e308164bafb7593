"""Every error class of the service has a status in the edge's table, and stands in the drawn tree of errors."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module

import msgspec
import pytest

import service
from service import errors
from service.access import errors as access
from service.access.errors import Unauthorized
from service.errors import ServiceError
from service.http import refusals
from service.http.answers import failure, status_of
from sql.errors import DatabaseError, Unavailable


def kinds(above: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    for kind in above.__subclasses__():
        yield kind
        yield from kinds(kind)


def all_kinds() -> list[type[ServiceError]]:
    for module in pkgutil.walk_packages(service.__path__, "service."):
        import_module(module.name)
    return list(kinds())


def test_every_error_of_the_service_has_a_status() -> None:
    found = all_kinds()
    assert len(found) > 20
    # Made without arguments, because the table looks only at the class.
    without = [kind.__name__ for kind in found if status_of(kind.__new__(kind)).number == 500]
    assert without == []


def test_every_error_has_a_code_of_its_own_or_of_the_error_above() -> None:
    groups = {"Impossible"}  # only its subclasses are raised
    assert [kind.__name__ for kind in all_kinds() if kind.code == ServiceError.code] == sorted(groups)


def test_the_drawn_trees_name_every_error() -> None:
    drawn = f"{errors.__doc__}{refusals.__doc__}{access.__doc__}"
    assert [kind.__name__ for kind in all_kinds() if f"── {kind.__name__} " not in drawn] == []


def test_a_fault_of_the_service_and_of_the_database_are_told_apart() -> None:
    fault = failure(ZeroDivisionError("secret"))
    assert fault.status == 500
    assert msgspec.json.decode(fault.body)["error"]["code"] == "internal"
    assert b"secret" not in fault.body
    for error in (Unavailable("secret"), DatabaseError("secret")):
        away = failure(error)
        assert (away.status, away.headers["retry-after"]) == (503, "2")
        assert b"secret" not in away.body


@pytest.mark.parametrize(
    ("error", "status", "headers"),
    [
        (Unauthorized("no", "no_key"), 401, {"www-authenticate": "Bearer"}),
        (refusals.MethodNotAllowed("PUT", "GET, POST"), 405, {"allow": "GET, POST"}),
        (errors.QueueFull("no"), 503, {"retry-after": "2"}),
        (errors.NotSetUp("no"), 503, {"retry-after": "2"}),
        (errors.Invalid("no", "name"), 400, {}),
    ],
)
def test_an_answer_has_the_status_and_headers_of_its_kind(
    error: ServiceError, status: int, headers: dict[str, str]
) -> None:
    answer = failure(error)
    assert (answer.status, dict(answer.headers)) == (status, headers)
    told = {"code": error.code, "message": error.message} | ({"field": error.field} if error.field else {})
    assert msgspec.json.decode(answer.body) == {"ok": False, "error": told}
