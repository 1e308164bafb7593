"""The configuration, read once from the environment, validated and frozen. Only this module reads the configuration."""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

Value = TypeVar("Value")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_HOST = re.compile(r"[\w.-]+|\[?[0-9a-fA-F:.]+\]?", re.ASCII)
_ALLOWED_HOST = re.compile(r"\*|[\w.-]+|\[[0-9a-f:.]+\]", re.ASCII)
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[^\s/:,@?#*\[\]]+)(?::([0-9]{1,5}))?/?")
CHECKOUT_DATA = ".data"
USUAL_PORTS = {"http": 80, "https": 443}
_BASE_PATH = re.compile(r"(/[\w.~-]+)*", re.ASCII)
LOG_LEVELS = ("debug", "info", "warning", "error")


class SettingsError(Exception):
    """An invalid setting. The message is one line that names the variable."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings; "Configuration" in docs/operations.md explains them."""

    database_url: str | None
    data_dir: Path
    host: str
    port: int
    workers: int
    write_key: str | None
    read_token: str | None
    open_reads: bool
    allowed_hosts: tuple[str, ...]
    cors_origins: tuple[str, ...]
    trusted_proxies: tuple[Network, ...]
    base_path: str
    event_retention_days: int
    rollup_retention_days: int
    grace_days: int
    witness: Path | None
    shards: int | None
    log_level: str
    log_json: bool

    def listens_on_loopback(self) -> bool:
        """Tell whether only this machine can reach the service."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host.strip("[]")).is_loopback
        except ValueError:
            return False

    def unlike_retention(self, event_days: int, rollup_days: int) -> list[str]:
        """Return how the settings differ from the retention in force, one sentence for each variable."""
        return [
            sentence
            for name, asked, kept in (
                ("HOURLEDGER_EVENT_RETENTION_DAYS", self.event_retention_days, event_days),
                ("HOURLEDGER_ROLLUP_RETENTION_DAYS", self.rollup_retention_days, rollup_days),
            )
            for sentence in _unlike(name, asked, kept)
        ]

    def check_reads(self) -> None:
        """Refuse to listen beyond this machine while everyone could read.

        Raises SettingsError unless there is a read token, or HOURLEDGER_OPEN_READS=1 allows it.
        """
        if not (self.listens_on_loopback() or self.read_token or self.open_reads):
            raise SettingsError(
                f"HOURLEDGER_HOST={self.host} listens beyond this machine: set HOURLEDGER_READ_TOKEN,"
                " or HOURLEDGER_OPEN_READS=1 to let everyone read"
            )

    @property
    def url(self) -> str:
        """The address to show to people."""
        host = self.host.strip("[]")
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def address(self) -> str:
        """Return the address to listen on, IPv4 if the host has one. Raises SettingsError for a host without any."""
        try:
            found = socket.getaddrinfo(self.host.strip("[]"), self.port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SettingsError(f"HOURLEDGER_HOST={self.host} has no address: {error.strerror}") from error
        return str(min(found, key=lambda each: each[0] != socket.AF_INET)[4][0])


def load(environ: Mapping[str, str] = os.environ, *, data_dir: str | None = None) -> Settings:
    """Read and validate the settings. Raises SettingsError, naming the variable, on the first bad value.

    data_dir: the data directory when the environment names none.
    """
    events = _read(environ, "HOURLEDGER_EVENT_RETENTION_DAYS", "30", _whole(1, 3_650))
    rollups = _read(environ, "HOURLEDGER_ROLLUP_RETENTION_DAYS", "90", _whole(1, 36_500))
    if rollups < events:
        raise SettingsError(
            f"HOURLEDGER_ROLLUP_RETENTION_DAYS is {rollups},"
            f" but must be at least HOURLEDGER_EVENT_RETENTION_DAYS ({events})"
        )
    log_json, log_level = _read(environ, "HOURLEDGER_LOG", "info", _log)
    settings = Settings(
        database_url=_read(environ, "DATABASE_URL", "", _database_url),
        data_dir=_read(environ, "HOURLEDGER_DATA_DIR", data_dir or usual_data_dir(), _folder),
        host=_read(environ, "HOURLEDGER_HOST", "127.0.0.1", _host),
        port=_read(environ, "HOURLEDGER_PORT", "8000", _whole(1, 65_535)),
        workers=_read(environ, "HOURLEDGER_WORKERS", "1", _whole(1, 64)),
        write_key=_read(environ, "HOURLEDGER_WRITE_KEY", "", _secret),
        read_token=_read(environ, "HOURLEDGER_READ_TOKEN", "", _secret),
        open_reads=_read(environ, "HOURLEDGER_OPEN_READS", "0", _switch),
        allowed_hosts=_read(environ, "HOURLEDGER_ALLOWED_HOSTS", ",".join(LOOPBACK_NAMES), _names),
        cors_origins=_read(environ, "HOURLEDGER_CORS_ORIGINS", "", _origins),
        trusted_proxies=_read(environ, "HOURLEDGER_TRUSTED_PROXIES", "", _networks),
        base_path=_read(environ, "HOURLEDGER_BASE_PATH", "/", _base_path),
        event_retention_days=events,
        rollup_retention_days=rollups,
        grace_days=_read(environ, "HOURLEDGER_GRACE_DAYS", "2", _whole(0, 365)),
        witness=_read(environ, "HOURLEDGER_WITNESS", "", lambda text: Path(text) if text else None),
        shards=_read(environ, "HOURLEDGER_SHARDS", "", lambda text: _whole(1, 64)(text) if text else None),
        log_level=log_level,
        log_json=log_json,
    )
    if settings.witness is not None and settings.witness.resolve().is_relative_to(settings.data_dir.resolve()):
        raise SettingsError(
            f"HOURLEDGER_WITNESS is {str(settings.witness)!r}, but must be outside of the data directory"
            f" {str(settings.data_dir)!r}: it must not go back when that folder does"
        )
    return settings


def _read(environ: Mapping[str, str], name: str, default: str, parse: Callable[[str], Value]) -> Value:
    text = environ.get(name, "").strip() or default
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from error


def _unlike(name: str, asked: int, kept: int) -> list[str]:
    if asked < kept:
        return [f"{name} is {asked}, but {kept} days are in force: make retention SHORTEN=1 shortens them to {asked}"]
    if asked > kept:
        return [f"{name} is {asked}, but {kept} days are in force: start the service with {asked} to lengthen them"]
    return []


def usual_data_dir() -> str:
    """Return the default data directory: the system's for root, else the user's (XDG_STATE_HOME).

    Where the checkout's .data, the place of former releases, holds a database, it is that one.
    """
    if os.geteuid() == 0:
        return "/var/lib/hourledger"
    if any(Path(CHECKOUT_DATA).glob("postgresql-*")):
        return CHECKOUT_DATA
    state = os.environ.get("XDG_STATE_HOME", "")
    try:
        return str((Path(state) if state.startswith("/") else Path("~/.local/state").expanduser()) / "hourledger")
    except RuntimeError:  # a user without a home
        return CHECKOUT_DATA


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text) <= most):
            raise ValueError(f"must be a whole number from {least} to {most}, not {text!r}")
        return int(text)

    return parse


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise ValueError(f"must be 0 or 1, not {text!r}")
    return text == "1"


def _secret(text: str) -> str | None:
    if not (text.isascii() and text.isprintable()) or " " in text:
        # The message leaves the value out, because messages are logged.
        raise ValueError("must be printable ASCII characters without spaces")
    return text or None


def _database_url(text: str) -> str | None:
    # The messages leave the value out, because it may hold a password.
    scheme, _, rest = text.partition("://")
    if text and scheme not in ("postgresql", "postgres"):
        raise ValueError("must begin with postgresql://")
    for host in re.split("[/?#]", rest)[0].rpartition("@")[2].split(","):
        port = host.rpartition("]")[2].partition(":")[2]
        if port and not (port.isascii() and port.isdecimal() and len(port) < 6 and 0 < int(port) < 65_536):
            raise ValueError("must have a port from 1 to 65535, or none")
    return text or None


def _folder(text: str) -> Path:
    folder = Path(text)
    if sys.getfilesystemencoding() != "utf-8" and not str(folder.absolute()).isascii():
        raise ValueError("has characters beyond ASCII, for which the locale must be one of UTF-8: set LC_ALL=C.UTF-8")
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"must be a folder, which {text!r} is not")
    return folder


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError(f"must be an address or a name of this machine, not {text!r}")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip().lower() for name in text.split(",") if name.strip())
    if not names or not all(_ALLOWED_HOST.fullmatch(name) for name in names):
        raise ValueError("must be a comma-separated list of host names without scheme, port or path, or *")
    return names


def _origins(text: str) -> tuple[str, ...]:
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


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(each.strip()) for each in text.split(",") if each.strip())
    except ValueError as error:
        raise ValueError(
            f"must be a comma-separated list of addresses or networks such as 10.0.0.0/8: {error}"
        ) from error


def _base_path(text: str) -> str:
    """Return the path without a slash at its end: "" for "/"."""
    path = text.rstrip("/")
    if not (text.startswith("/") and _BASE_PATH.fullmatch(path)):
        raise ValueError(f"must be a path such as /stats, not {text!r}")
    return path


def _log(text: str) -> tuple[bool, str]:
    form, _, level = text.rpartition(":")
    if form not in ("", "json") or level not in LOG_LEVELS:
        raise ValueError(f"must be one of {', '.join(LOG_LEVELS)}, or one of them after json:, not {text!r}")
    return form == "json", level
