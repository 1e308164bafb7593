"""The embedded server starts with its database, stops, and says why it does not start."""

from pathlib import Path

import pytest

from sql.embedded import share
from sql.errors import EmbeddedError
from tests.support.embedded import ask, servers_of


@pytest.mark.parametrize("version", [16, 18])
def test_it_starts_with_its_database_stops_and_starts_again(data: Path, place: Path, version: int) -> None:
    data = data if version == 18 else place
    with share.use(data, version=version) as server:
        assert str(ask(server.url, "show server_version_num")).startswith(str(version))
        assert ask(server.url, "show server_encoding") == "UTF8"
        assert ask(server.url, "show data_checksums") == "on"
        assert ask(server.url, "show timezone") == "UTC"
        assert ask(server.url, "show fsync") == "on"
        # Enough locks for two transactions that lock ten years of days, each a table with six indexes.
        locks = [int(str(ask(server.url, f"show {name}"))) for name in ("max_connections", "max_locks_per_transaction")]
        assert locks[0] * locks[1] > 2 * 3_650 * 7
        assert ask(server.url, "select lower('É') = 'é'") is (version == 18)
        ask(server.url, "create table kept as select 42 as number")
    assert not servers_of(data)
    with share.use(data, version=version) as server:
        assert ask(server.url, "select number from kept") == 42
    share.release(server)
    assert not servers_of(data)


def test_settings_and_other_databases(data: Path) -> None:
    with share.use(data, settings={"application_name": r"it's \ here"}) as server:
        assert ask(server.database_url("postgres"), "show application_name") == r"it's \ here"
        ask(server.url, 'create database "a b/ü?&"')
        assert ask(server.database_url("a b/ü?&"), "select current_database()") == "a b/ü?&"


def test_a_released_share_cannot_bring_the_server_back(data: Path) -> None:
    with share.use(data) as server:
        pass
    with pytest.raises(EmbeddedError, match="released"):
        share.ensure_running(server)


def test_the_environment_does_not_steer_it(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PGPORT", "PGDATA", "PGHOST", "PGUSER", "PGOPTIONS", "LC_ALL", "TZ"):
        monkeypatch.setenv(name, "1")
    with share.use(data) as server:
        assert ask(server.url, "select 1") == 1


def test_a_database_that_was_not_made_in_time_is_made_at_the_next_start(data: Path) -> None:
    with share.use(data) as server:
        ask(server.database_url("postgres"), "drop database hourledger")
    with share.use(data) as server:
        assert ask(server.url, "select current_database()") == "hourledger"


def test_another_version_is_refused(data: Path, place: Path) -> None:
    with pytest.raises(EmbeddedError, match="not for PostgreSQL 16"):
        share.use(data, version=16)
    with pytest.raises(EmbeddedError, match=r"no embedded PostgreSQL 15: the package has \[16, 18\]"):
        share.use(place, version=15)


def test_a_start_that_fails_says_why_in_one_line(data: Path) -> None:
    with pytest.raises(
        EmbeddedError, match=r"^PostgreSQL did not start: .* FATAL: .*not_there.* \(log: .*\)$"
    ) as failure:
        share.use(data, settings={"shared_preload_libraries": "not_there"})
    assert "\n" not in str(failure.value)
    assert 'could not access file "not_there"' in failure.value.log_tail
    with share.use(data) as server:
        assert ask(server.url, "select 1") == 1
