"""The parameters of query strings. Each is known by name and checked; an error names the parameter."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from urllib.parse import parse_qsl

from service.errors import InvalidParameter, UnknownParameter, Unreadable

# The site of a request, which the edge takes off before anything else reads the parameters.
SITE = "site"
# An error quotes at most this many characters of a value.
SHOWN = 40


def parse(query: bytes, known: frozenset[str]) -> dict[str, str]:
    """Return the parameters by name. known: the allowed names beside the site.

    Raises Unreadable when the query is not URL-encoded UTF-8, UnknownParameter, and InvalidParameter for a parameter
    that is repeated or holds a NUL character.
    """
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError as error:
        raise Unreadable("the query string is not URL-encoded UTF-8") from error
    given: dict[str, str] = {}
    for name, value in pairs:
        if name not in known:
            takes = ", ".join(sorted(known | {SITE}))
            raise UnknownParameter(
                f"unknown parameter {name[:SHOWN]!r}; this path takes: {takes}",
                name[:SHOWN],
            )
        if name in given:
            raise invalid(name, "must be given once")
        if "\0" in value:
            raise invalid(name, "must not hold a NUL character")
        given[name] = value
    return given


def invalid(name: str, message: str) -> InvalidParameter:
    """Return the error of one parameter. The message begins with its name."""
    return InvalidParameter(f"{name} {message}", name)


def whole(given: Mapping[str, str], name: str, default: int, most: int) -> int:
    """Return a parameter that must be a whole number from 1 to `most`. Raises InvalidParameter."""
    text = given.get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and 1 <= int(text) <= most):
        raise invalid(name, f"must be a whole number from 1 to {most}, not {text[:SHOWN]!r}")
    return int(text)


def switch(given: Mapping[str, str], name: str, *, default: bool) -> bool:
    """Return a parameter of 0, 1, false or true, in upper or lower case, as a bool. Raises InvalidParameter."""
    text = given.get(name, str(int(default))).lower()
    if text not in ("0", "1", "false", "true"):
        raise invalid(name, f"must be 0 or 1, not {text[:SHOWN]!r}")
    return text in ("1", "true")


def choice(given: Mapping[str, str], name: str, known: Collection[str], default: str) -> str:
    """Return a parameter that must be one of the known words. Raises InvalidParameter."""
    text = given.get(name, default)
    if text not in known:
        raise invalid(name, f"must be one of {', '.join(known)}, not {text[:SHOWN]!r}")
    return text
