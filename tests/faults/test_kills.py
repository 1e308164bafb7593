"""Kill parts of the running service under load: after the restart every acked event is stored."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import asyncpg
import psutil
import pytest

from sql.embedded.share import use
from tests.conftest import RunningService, folder_for_servers, running_service, wait_until_ready
from tests.faults.table.load import children, kill, kill_workers, loaded, one, postmaster_of

ACKS_BETWEEN_KILLS = 200
KILLS = 2


def kill_worker(running: RunningService, _: Path) -> None:
    kill_workers(running)


def kill_http_server(running: RunningService, _: Path) -> None:
    kill(one(running, "http"))


def kill_projector(running: RunningService, _: Path) -> None:
    kill(one(running, "follow"))


def kill_postgres(_: RunningService, data: Path) -> None:
    kill(postmaster_of(data))


@pytest.mark.parametrize("kill_part", [kill_worker, kill_http_server, kill_projector, kill_postgres])
def test_every_acked_event_survives_a_killed_part(kill_part: Callable[[RunningService, Path], None]) -> None:
    with folder_for_servers() as folder, running_service(folder) as running:
        with loaded(running.url) as load:
            for _ in range(KILLS):
                load.wait_for(ACKS_BETWEEN_KILLS)
                kill_part(running, folder / "data")
            load.wait_for(ACKS_BETWEEN_KILLS)
        assert load.refused == []
        wait_until_ready(running)
        assert_each_acked_event_is_stored_once(folder / "data", set(load.acked))
        assert verify(folder / "data")["ok"]


def test_every_acked_event_survives_a_kill_of_everything() -> None:
    with folder_for_servers() as folder, running_service(folder) as running, loaded(running.url) as load:
        load.wait_for(ACKS_BETWEEN_KILLS)
        everything = [postmaster_of(folder / "data"), *children(running), psutil.Process(running.process.pid)]
        load.stop.set()
        for process in everything:
            kill(process)
        acked = set(load.acked)
        restarted = running_service(folder, port=int(running.url.rpartition(":")[2]))
        with restarted as again:
            # The senders get their last acks from the second service.
            wait_until_ready(again)
            assert_each_acked_event_is_stored_once(folder / "data", acked, or_more=True)
            assert verify(folder / "data")["ok"]


def assert_each_acked_event_is_stored_once(data: Path, acked: set[str], *, or_more: bool = False) -> None:
    async def stored(url: str) -> list[str]:
        connection = await asyncpg.connect(url)
        try:
            return [row["event_id"] for row in await connection.fetch("select event_id from events")]
        finally:
            await connection.close()

    with use(data) as embedded:
        ids = asyncio.run(stored(embedded.url))
    assert len(ids) == len(set(ids))
    assert acked <= set(ids) if or_more else acked == set(ids)


def verify(data: Path) -> dict[str, object]:
    """Run the verify command; return its answer."""
    done = subprocess.run(
        [sys.executable, "-m", "projections", "verify", "--json"],
        env={"HOURLEDGER_DATA_DIR": str(data), "PATH": ""},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
