"""Impossible settings: the service does not start, and names the bad setting in one line."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.operations.supervisor import check_port
from service.settings import SettingsError, load, usual_data_dir
from tests.conftest import free_port
from tests.http.support.starting import NOWHERE, SECRET, line_of, start

EVERYWHERE = "0.0.0.0"  # noqa: S104
BAD = [
    ("HOURLEDGER_PORT", "x"),
    ("HOURLEDGER_PORT", "0"),
    ("HOURLEDGER_PORT", "65536"),
    ("HOURLEDGER_PORT", "9" * 5000),
    ("HOURLEDGER_HOST", "no such/host"),
    ("HOURLEDGER_HOST", EVERYWHERE),
    ("HOURLEDGER_HOST", "::"),
    ("HOURLEDGER_HOST", "192.0.2.1"),
    ("HOURLEDGER_HOST", "example.com"),
    ("HOURLEDGER_WORKERS", "0"),
    ("HOURLEDGER_WORKERS", "two"),
    ("HOURLEDGER_WRITE_KEY", SECRET),
    ("HOURLEDGER_READ_TOKEN", "tökén"),
    ("HOURLEDGER_OPEN_READS", "yes"),
    ("HOURLEDGER_ALLOWED_HOSTS", "https://example.com"),
    ("HOURLEDGER_ALLOWED_HOSTS", "example.com:8000"),
    ("HOURLEDGER_ALLOWED_HOSTS", ","),
    ("HOURLEDGER_CORS_ORIGINS", "example.com"),
    ("HOURLEDGER_CORS_ORIGINS", "https://example.com/path"),
    ("HOURLEDGER_CORS_ORIGINS", "https://*.example.com"),
    ("HOURLEDGER_CORS_ORIGINS", "https://user@example.com"),
    ("HOURLEDGER_CORS_ORIGINS", "https://ex..com"),
    ("HOURLEDGER_BASE_PATH", "stats"),
    ("HOURLEDGER_BASE_PATH", "https://example.com/stats"),
    ("HOURLEDGER_BASE_PATH", "/a//b"),
    ("HOURLEDGER_BASE_PATH", "/a?b"),
    ("HOURLEDGER_EVENT_RETENTION_DAYS", "0"),
    ("HOURLEDGER_EVENT_RETENTION_DAYS", "91"),
    ("HOURLEDGER_ROLLUP_RETENTION_DAYS", "29"),
    ("HOURLEDGER_ROLLUP_RETENTION_DAYS", "-1"),
    ("HOURLEDGER_LOG_DAYS", "0"),
    ("HOURLEDGER_LOG_DAYS", "31"),
    ("HOURLEDGER_SHARDS", "0"),
    ("HOURLEDGER_SHARDS", "1.5"),
    ("HOURLEDGER_LOG", "loud"),
    ("HOURLEDGER_LOG", "xml:info"),
    ("HOURLEDGER_DATA_DIR", __file__),
    ("HOURLEDGER_ARCHIVE_DIR", __file__),
    ("HOURLEDGER_ARCHIVE_DIR", usual_data_dir()),
    # It would go back when the data does.
    ("HOURLEDGER_WITNESS", f"{usual_data_dir()}/witness"),
    ("HOURLEDGER_RETENTION_DAYS", "10"),
    ("HOURLEDGER_WRITEKEY", "k"),
    ("HOURLEDGER_LOG_LEVEL", "info"),
    ("HOURLEDGER_DATABASE_URL", NOWHERE),
    ("DATABASE_URL", "mysql://somebody:password-1@localhost/x"),
    ("DATABASE_URL", "postgresql://somebody:password-1@localhost:port/x"),
    ("DATABASE_URL", "nonsense"),
]


COMMANDS = [("service", "serve"), ("service", "http"), ("service", "migrate"), ("projections", "verify")]


@pytest.mark.parametrize(("name", "value"), BAD, ids=lambda text: str(text)[:30])
def test_a_bad_value_is_refused_in_one_line_that_names_it(name: str, value: str) -> None:
    """The checks of `serve` run in this process, because starting one for each value takes 30 times as long."""
    with pytest.raises(SettingsError) as refused:
        checked({name: value})
    (line,) = str(refused.value).splitlines()
    assert name in line
    assert "password-1" not in line
    assert SECRET not in line


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("https://Example.com/", "https://example.com"),
        ("https://example.com:443", "https://example.com"),
        ("http://example.com:080", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:5173", "http://[::1]:5173"),
        ("*", "*"),
    ],
)
def test_an_origin_is_written_as_browsers_send_it(written: str, sent: str) -> None:
    assert load({"HOURLEDGER_CORS_ORIGINS": f"{written}, https://other.example"}).cors_origins[0] == sent


def test_a_name_that_is_nearly_a_setting_is_refused_and_one_of_others_is_not() -> None:
    with pytest.raises(SettingsError, match="is no setting: did you mean HOURLEDGER_EVENT_RETENTION_DAYS"):
        load({"HOURLEDGER_RETENTION_DAYS": "10"})
    load({"HOURLEDGER_SERVICE_HOST": "10.0.0.1", "HOURLEDGER_PORT_8000_TCP": "tcp://10.0.0.1:8000"})


@pytest.mark.parametrize(("events", "rows"), [("10", 10), ("30", 30), ("90", 30)])
def test_rows_are_kept_for_thirty_days_unless_events_are_kept_for_fewer(events: str, rows: int) -> None:
    assert load({"HOURLEDGER_EVENT_RETENTION_DAYS": events}).log_days == rows
    assert load({"HOURLEDGER_EVENT_RETENTION_DAYS": events, "HOURLEDGER_LOG_DAYS": "5"}).log_days == 5


def test_rows_are_not_kept_longer_than_events() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"HOURLEDGER_EVENT_RETENTION_DAYS": "60", "HOURLEDGER_LOG_DAYS": "61"})
    assert str(refused.value).startswith(
        "HOURLEDGER_LOG_DAYS is 61, but must be at most HOURLEDGER_EVENT_RETENTION_DAYS (60)"
    )


@pytest.mark.parametrize("host", ["::1", "[::1]"])
def test_the_address_of_a_host_in_numbers_can_be_opened(host: str) -> None:
    assert load({"HOURLEDGER_HOST": host, "HOURLEDGER_PORT": "8001"}).url == "http://[::1]:8001"


def test_a_data_directory_that_the_locale_cannot_name_is_refused(tmp_path: Path) -> None:
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    line = line_of(start("service", "migrate", HOURLEDGER_DATA_DIR=str(tmp_path / "é"), DATABASE_URL="", **ascii_only))
    assert "HOURLEDGER_DATA_DIR has characters beyond ASCII" in line
    assert "LC_ALL=C.UTF-8" in line


def checked(environment: dict[str, str]) -> None:
    """Check settings as `serve` does before it starts anything."""
    settings = load({"DATABASE_URL": NOWHERE, "HOURLEDGER_PORT": str(free_port())} | environment)
    settings.check_reads()
    check_port(settings)


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_every_command_refuses_a_bad_value(command: tuple[str, str]) -> None:
    assert "HOURLEDGER_WORKERS" in line_of(start(*command, HOURLEDGER_WORKERS="none"))


def test_listening_to_the_network_needs_a_token_or_that_it_is_meant() -> None:
    for command in ("serve", "http"):
        line = line_of(start("service", command, HOURLEDGER_HOST=EVERYWHERE))
        assert "HOURLEDGER_HOST" in line
        assert "HOURLEDGER_READ_TOKEN" in line
        assert "HOURLEDGER_OPEN_READS" in line
    # A write key does not count as a read token.
    with pytest.raises(SettingsError, match="HOURLEDGER_HOST"):
        checked({"HOURLEDGER_HOST": EVERYWHERE, "HOURLEDGER_WRITE_KEY": "k"})
    for allowing in ({"HOURLEDGER_READ_TOKEN": "t"}, {"HOURLEDGER_OPEN_READS": "1"}):
        checked({"HOURLEDGER_HOST": EVERYWHERE, **allowing})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "[::1]", "localhost"])
def test_listening_on_loopback_needs_no_token(host: str) -> None:
    checked({"HOURLEDGER_HOST": host})


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_port_that_is_taken_stops_the_start(taken_port: int) -> None:
    assert "HOURLEDGER_PORT" in line_of(start("service", "serve", HOURLEDGER_PORT=str(taken_port)))


def test_a_database_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    for url in (NOWHERE, f"postgresql:///x?host={tmp_path}"):
        assert "DATABASE_URL" in line_of(start("service", "serve", DATABASE_URL=url))


@pytest.mark.parametrize("module", ["service", "projections"])
def test_commands_have_help_and_a_version(module: str) -> None:
    for option in ("--help", "--version"):
        ended = start(module, option)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.strip()
