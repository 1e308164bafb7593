"""The configuration, read once from the environment, validated and frozen. Only this module reads the configuration."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from service.settings import values
from service.settings.smtp import Smtp, smtp

Value = TypeVar("Value")

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
CHECKOUT_DATA = ".data"
NEW_NAMES = values.whole(0, 1_000_000)
# What one sender may send; 0 for no limit. No machine takes more.
EVENTS_PER_MINUTE = values.whole(0, 100_000_000)
# What the service may tell about the visitors of pages; each is a property whose name begins with $.
EDGE_PROPERTIES = ("browser", "os", "device", "country", "region", "source", "channel")
PREFIX = "HOURLEDGER_"
ARCHIVE = "archive"
ERASURE_KEY = "erasure.key"
LOG_DAYS = "HOURLEDGER_LOG_DAYS"
WRITE_KEY = "HOURLEDGER_WRITE_KEY"
READ_TOKEN = "HOURLEDGER_READ_TOKEN"  # noqa: S105  # its name
USER_HEADER = "HOURLEDGER_TRUSTED_USER_HEADER"
# Its default, unless events are kept for fewer days.
USUAL_LOG_DAYS = 30


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
    trusted_proxies: tuple[values.Network, ...]
    trusted_user_header: str | None
    bots: str
    refused_addresses: tuple[values.Network, ...]
    edge_properties: frozenset[str]
    geoip: Path | None
    base_path: str
    events_per_address: int
    events_per_key: int
    new_names_an_hour: int
    event_retention_days: int
    rollup_retention_days: int
    log_days: int
    grace_days: int
    archive_dir: Path
    witness: Path | None
    erasure_key: Path
    shards: int | None
    smtp_url: Smtp | None
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

    def unlike_retention(self, event_days: int, rollup_days: int, log_days: int) -> list[str]:
        """Return how the settings differ from the retention in force, one sentence for each variable."""
        return [
            sentence
            for name, asked, kept in (
                ("HOURLEDGER_EVENT_RETENTION_DAYS", self.event_retention_days, event_days),
                ("HOURLEDGER_ROLLUP_RETENTION_DAYS", self.rollup_retention_days, rollup_days),
                (LOG_DAYS, self.log_days, log_days),
            )
            for sentence in _unlike(name, asked, kept)
        ]

    def check_reads(self) -> None:
        """Refuse to listen beyond this machine while everyone could read.

        Raises SettingsError unless there is a read token, an identity proxy, or HOURLEDGER_OPEN_READS=1 allows it.
        """
        if not (self.listens_on_loopback() or self.read_token or self.trusted_user_header or self.open_reads):
            raise SettingsError(
                f"HOURLEDGER_HOST={self.host} listens beyond this machine: set {READ_TOKEN},"
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
    _check_names(environ)
    events = _read(environ, "HOURLEDGER_EVENT_RETENTION_DAYS", "30", values.whole(1, 3_650))
    rollups = _read(environ, "HOURLEDGER_ROLLUP_RETENTION_DAYS", "90", values.whole(1, 36_500))
    if rollups < events:
        raise SettingsError(
            f"HOURLEDGER_ROLLUP_RETENTION_DAYS is {rollups},"
            f" but must be at least HOURLEDGER_EVENT_RETENTION_DAYS ({events})"
        )
    log_days = _read(environ, LOG_DAYS, str(min(USUAL_LOG_DAYS, events)), values.whole(1, 3_650))
    if log_days > events:
        raise SettingsError(
            f"{LOG_DAYS} is {log_days}, but must be at most HOURLEDGER_EVENT_RETENTION_DAYS ({events}),"
            " because rows cannot be kept longer than events"
        )
    data = _read(environ, "HOURLEDGER_DATA_DIR", data_dir or usual_data_dir(), values.folder)
    log_json, log_level = _read(environ, "HOURLEDGER_LOG", "info", values.log)
    settings = Settings(
        database_url=_read(environ, "DATABASE_URL", "", values.database_url),
        data_dir=data,
        host=_read(environ, "HOURLEDGER_HOST", "127.0.0.1", values.host),
        port=_read(environ, "HOURLEDGER_PORT", "8000", values.whole(1, 65_535)),
        workers=_read(environ, "HOURLEDGER_WORKERS", "1", values.whole(1, 64)),
        write_key=_read(environ, WRITE_KEY, "", values.secret),
        read_token=_read(environ, READ_TOKEN, "", values.secret),
        open_reads=_read(environ, "HOURLEDGER_OPEN_READS", "0", values.switch),
        allowed_hosts=_read(environ, "HOURLEDGER_ALLOWED_HOSTS", ",".join(LOOPBACK_NAMES), values.names),
        cors_origins=_read(environ, "HOURLEDGER_CORS_ORIGINS", "", values.origins),
        trusted_proxies=_read(environ, "HOURLEDGER_TRUSTED_PROXIES", "", values.networks),
        trusted_user_header=_read(environ, USER_HEADER, "", values.header_name),
        bots=_read(environ, "HOURLEDGER_BOTS", "refuse", values.one_of("refuse", "accept")),
        refused_addresses=_read(environ, "HOURLEDGER_REFUSED_ADDRESSES", "", values.networks_of_file),
        edge_properties=_read(
            environ, "HOURLEDGER_EDGE_PROPERTIES", ",".join(EDGE_PROPERTIES), values.some_of(*EDGE_PROPERTIES)
        ),
        geoip=_read(environ, "HOURLEDGER_GEOIP", "", values.places),
        base_path=_read(environ, "HOURLEDGER_BASE_PATH", "/", values.base_path),
        events_per_address=_read(environ, "HOURLEDGER_EVENTS_PER_ADDRESS", "6000", EVENTS_PER_MINUTE),
        events_per_key=_read(environ, "HOURLEDGER_EVENTS_PER_KEY", "60000", EVENTS_PER_MINUTE),
        new_names_an_hour=_read(environ, "HOURLEDGER_NEW_NAMES_AN_HOUR", "5000", NEW_NAMES),
        event_retention_days=events,
        rollup_retention_days=rollups,
        log_days=log_days,
        grace_days=_read(environ, "HOURLEDGER_GRACE_DAYS", "2", values.whole(0, 365)),
        archive_dir=_read(environ, "HOURLEDGER_ARCHIVE_DIR", str(data / ARCHIVE), values.folder),
        witness=_read(environ, "HOURLEDGER_WITNESS", "", lambda text: Path(text) if text else None),
        erasure_key=_read(environ, "HOURLEDGER_ERASURE_KEY", str(data / ERASURE_KEY), Path),
        shards=_read(environ, "HOURLEDGER_SHARDS", "", lambda text: values.whole(1, 64)(text) if text else None),
        smtp_url=_read(environ, "HOURLEDGER_SMTP_URL", "", smtp),
        log_level=log_level,
        log_json=log_json,
    )
    if settings.trusted_user_header is not None and not settings.trusted_proxies:
        raise SettingsError(
            f"{USER_HEADER} is {settings.trusted_user_header!r}, but HOURLEDGER_TRUSTED_PROXIES is not set: name the"
            " addresses of the proxy, because everyone else could send this header, too"
        )
    if settings.witness is not None and settings.witness.resolve().is_relative_to(settings.data_dir.resolve()):
        raise SettingsError(
            f"HOURLEDGER_WITNESS is {str(settings.witness)!r}, but must be outside of the data directory"
            f" {str(settings.data_dir)!r}: it must not go back when that folder does"
        )
    if settings.archive_dir.resolve() == settings.data_dir.resolve():
        raise SettingsError(
            f"HOURLEDGER_ARCHIVE_DIR is {str(settings.archive_dir)!r}, but must be a folder of its own, such as"
            f" {str(settings.data_dir / ARCHIVE)!r}"
        )
    return settings


def _check_names(environ: Mapping[str, str]) -> None:
    """Refuse a name that is nearly one of the settings; orchestrators set others, such as HOURLEDGER_SERVICE_HOST."""
    known = {field.upper(): f"{PREFIX}{field.upper()}" for field in Settings.__dataclass_fields__}
    known |= {"DATABASE_URL": "DATABASE_URL", "LOG_LEVEL": f"{PREFIX}LOG", "LOG_JSON": f"{PREFIX}LOG"}
    for name in sorted(name for name in environ if name.startswith(PREFIX) and name not in known.values()):
        if meant := get_close_matches(name.removeprefix(PREFIX), known, 1, cutoff=0.7):
            raise SettingsError(f"{name} is no setting: did you mean {known[meant[0]]}?")


def _read(environ: Mapping[str, str], name: str, default: str, parse: Callable[[str], Value]) -> Value:
    text = environ.get(name, "").strip() or default
    try:
        return parse(text)
    except ValueError as error:
        raise SettingsError(f"{name} {error}") from error


def _unlike(name: str, asked: int, kept: int) -> list[str]:
    if asked < kept:
        # Its default may be shorter than what an older release has recorded.
        choice = f"; {name}={kept} leaves them as they are" if name == LOG_DAYS else ""
        told = f"{name} is {asked}, but {kept} days are in force: make retention SHORTEN=1 shortens them to {asked}"
        return [told + choice]
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
