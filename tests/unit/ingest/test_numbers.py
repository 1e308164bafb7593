"""The numbers of properties: finite doubles, of bounded length as sent and as PostgreSQL writes them out."""

from __future__ import annotations

import pytest

from service.ingest.decoding import decode_event
from service.ingest.refusals import EventError
from tests.support.sent_events import tried, with_properties


def refused(body: bytes) -> EventError:
    found = tried(body)
    assert isinstance(found, EventError)
    return found


TOO_LONG = ["1" * 65, "0." + "0" * 63, f"-{'1' * 60}e+10"]
TOO_GREAT = ["1e400", "-1e309", "2e308", "1e0000000400"]
TOO_SMALL = ["1e-401", "1e-99999", "0e-16384", "0e99999"]


@pytest.mark.parametrize("number", TOO_LONG + TOO_GREAT + TOO_SMALL)
def test_a_number_that_is_no_double_is_refused(number: str) -> None:
    for properties in (f'{{"a":{number}}}', f'{{"a":["1e2",{{"b":[ {number} ]}}]}}'):
        error = refused(with_properties(properties.encode()))
        assert (error.code, error.field) == ("invalid_field", "properties")


DOUBLES = ["1e308", "-1.7976931348623157e+308", "5e-324", "1e-400", "-0.0", "1E0005", "0e-400"]


@pytest.mark.parametrize("number", [*DOUBLES, "1" * 64, f"-{'1' * 59}e+10"])
def test_a_double_is_kept(number: str) -> None:
    properties = f'{{"a":[{number},"1e999","{"1" * 65}"]}}'
    assert decode_event(with_properties(properties.encode())).properties == properties


def test_numbers_are_bounded_as_they_are_written_out() -> None:
    def numbers(count: int, number: bytes) -> bytes:
        return b'{"a":[' + b",".join([number] * count) + b'],"b":"0e0000,1e999,1e999"}'

    for number, fit in ((b"1e300", 54), (b"-1.5E+16", 1_024), (b"1e-390", 42)):
        decode_event(with_properties(numbers(fit, number)))
        error = refused(with_properties(numbers(fit + 1, number)))
        assert (error.code, error.field) == ("invalid_field", "properties")
        assert "16384" in error.message
