"""The values of settings. Each parser takes the text of a variable; its ValueError is the rest of a sentence."""

from __future__ import annotations

import ipaddress
import re
import sys
from collections.abc import Callable
from pathlib import Path

_HOST = re.compile(r"[\w.-]+|\[?[0-9a-fA-F:.]+\]?", re.ASCII)
_ALLOWED_HOST = re.compile(r"\*|[\w.-]+|\[[0-9a-f:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/:,@?#*\[\]]+)(?::([0-9]{1,5}))?/?")
_BASE_PATH = re.compile(r"(/[\w.~-]+)*", re.ASCII)
_HEADER = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
# Headers that browsers send by themselves.
NO_USER = frozenset({"accept", "authorization", "connection", "cookie", "host", "origin", "referer", "user-agent"})
# Lists of data centres have some ten thousand.
MOST_LINES = 500_000
USUAL_PORTS = {"http": 80, "https": 443}
LOG_LEVELS = ("debug", "info", "warning", "error")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"must be 0 or 1, not {text!r}")
    return text == "1"


def one_of(*choices: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(f"must be {' or '.join(choices)}, not {text!r}")
        return text

    return parse


def some_of(*choices: str) -> Callable[[str], frozenset[str]]:
    def parse(text: str) -> frozenset[str]:
        found = frozenset(each.strip().removeprefix("$") for each in text.split(",") if each.strip())
        if found == {"none"}:
            return frozenset()
        if not found or found - set(choices):
            raise ValueError(f"must be none, or a comma-separated list of some of {', '.join(choices)}, not {text!r}")
        return found

    return parse


def secret(text: str) -> str | None:
    if not (text.isascii() and text.isprintable()) or " " in text:
        # The message leaves the value out, because messages are logged.
        raise ValueError("must be printable ASCII characters without spaces")
    return text or None


def database_url(text: str) -> str | None:
    # The messages leave the value out, because it may hold a password.
    scheme, _, rest = text.partition("://")
    if text and scheme not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://")
    for host in re.split("[/?#]", rest)[0].rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65_536):
            raise ValueError("must have a port from 1 to 65535, or none")
    return text or None


def folder(text: str) -> Path:
    path = Path(text)
    if sys.getfilesystemencoding() != "utf-8" and not str(path.absolute()).isascii():
        raise ValueError("has characters beyond ASCII, for which the locale must be one of UTF-8: set LC_ALL=C.UTF-8")
    if path.exists() and not path.is_dir():
        raise ValueError(f"must be a folder, which {text!r} is not")
    return path


def host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"must be an address or a name of this machine, not {text!r}")
    return text


def names(text: str) -> tuple[str, ...]:
    found = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not found or not all(_ALLOWED_HOST.fullmatch(name) for name in found):
        raise ValueError("must be a comma-separated list of host names without scheme, port or path, or *")
    return found


def origins(text: str) -> tuple[str, ...]:
    return tuple(_origin(each.strip()) for each in text.split(",") if each.strip())


def _origin(text: str) -> str:
    """Return an origin as browsers send it: in lower case, its name in ASCII, without the usual port of its scheme."""
    if text == "*":
        return text
    found = _ORIGIN.fullmatch(text.lower())
    if found is None:
        raise ValueError(f"must be * or a comma-separated list of origins such as https://example.com, not {text!r}")
    scheme, name, port = found.groups()
    try:
        ascii_name = name.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError(f"must have names of hosts, which {name!r} is not: {error}") from error
    return f"{scheme}://{ascii_name}" + (f":{int(port)}" if port and int(port) != USUAL_PORTS[scheme] else "")


def networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise ValueError(
            f"must be a comma-separated list of addresses or networks such as 10.0.0.0/8: {error}"
        ) from error


def header_name(text: str) -> str | None:
    """Return the name in lower case, None for no header."""
    name = text.lower()
    if text and (not _HEADER.fullmatch(name) or name in NO_USER):
        raise ValueError(f"must be a header that only the proxy sets, such as X-Forwarded-User, not {text!r}")
    return name or None


def networks_of_file(text: str) -> tuple[Network, ...]:
    """Return the networks of a file: one a line, with # before what is none."""
    if not text:
        return ()
    try:
        lines = Path(text).read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ValueError(f"must name a file of networks that can be read, not {text!r}: {error}") from error
    if len(lines) > MOST_LINES:
        raise ValueError(f"must name a file of at most {MOST_LINES:,} lines, and {text!r} has {len(lines):,}")
    found = []
    for number, line in enumerate(lines, 1):
        named = line.partition("#")[0].strip()
        try:
            found += [ipaddress.ip_network(named)] if named else []
        except ValueError as error:
            raise ValueError(
                f"names {text!r}, whose line {number} must be an address or a network such as 10.0.0.0/8: {error}"
            ) from error
    return tuple(found)


def places(text: str) -> Path | None:
    """Return the path of a file in MaxMind's format, None for no file."""
    if not text:
        return None
    import maxminddb  # noqa: PLC0415  # only who names a file needs it

    try:
        maxminddb.open_database(text).close()
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as error:
        raise ValueError(
            f"must name a file in MaxMind's format (.mmdb) that can be read, not {text!r}: {error}"
        ) from error
    return Path(text)


def base_path(text: str) -> str:
    """Return the path without a slash at its end: "" for "/"."""
    path = text.rstrip("/")
    if not (text.startswith("/") and _BASE_PATH.fullmatch(path)):
        raise ValueError(f"must be a path such as /stats, not {text!r}")
    return path


def log(text: str) -> tuple[bool, str]:
    form, _, level = text.rpartition(":")
    if form not in ("", "json") or level not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, or one of them after json:, not {text!r}")
    return form == "json", level
