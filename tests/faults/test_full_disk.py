"""The disk of the embedded server fills while events come: reads go on, nothing acked is lost, and nobody must help."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sql.embedded.disk import SEGMENT
from tests.conftest import RunningService, folder_for_servers, running_service
from tests.faults.table.load import Load, loaded, reading
from tests.http.support.site import an_event, unique
from tests.support import plain_http
from tests.support.embedded import ask, kill, servers_of
from tests.support.environment import without_settings
from tests.support.small_disk import SmallDisk, small_disk, why_not
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif((reason := why_not()) is not None, reason=reason or "")
SOON = 60
MOMENT = "%Y-%m-%dT%H:%M:%S.%f"
STORED = """
select array_agg(event_id || ' ' || to_char(timestamp at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US'))
from events
where session_id like 'session\\_%'
"""


@dataclass(frozen=True)
class Place:
    """A service with its own server on a small disk."""

    disk: SmallDisk
    running: RunningService

    @property
    def url(self) -> str:
        return f"postgresql://hourledger@/hourledger?host={self.disk.data}/run"

    def post(self) -> httpx.Response:
        return plain_http.post(f"{self.running.url}/e", json=an_event(event_id=unique("full")))

    def is_full(self) -> bool:
        answer = self.post()
        return answer.status_code == 503 and answer.json()["error"]["code"] == "disk_full"

    def get(self, path: str) -> httpx.Response:
        return plain_http.get(f"{self.running.url}{path}")

    def check_all_is_there(self, load: Load) -> None:
        """Check that each acked event is stored once, and that verify finds nothing wrong."""
        assert load.refused == []
        stored = ask(self.url, STORED)
        assert isinstance(stored, list)
        assert len(set(stored)) == len(stored)
        assert {f"{event.event_id} {event.timestamp:{MOMENT}}" for event in load.acked.values()} <= set(stored)
        verify = (sys.executable, "-m", "projections", "verify")
        environment = without_settings() | {"HOURLEDGER_DATA_DIR": str(self.disk.data)}
        done = subprocess.run(verify, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with folder_for_servers() as folder, small_disk() as disk, own_service(folder, disk) as running:
        yield Place(disk, running)


@contextmanager
def own_service(folder: Path, disk: SmallDisk) -> Iterator[RunningService]:
    with running_service(folder, HOURLEDGER_DATA_DIR=str(disk.data)) as running:
        wait_until(lambda: disk.room.held, "the ballast is made")
        yield running


def test_events_are_refused_while_reads_and_folding_go_on(place: Place) -> None:
    with loaded(place.running.url) as load, reading(place.running) as told:
        load.wait_for(100)
        with place.disk.filled(leave=place.disk.room.needed - SEGMENT // 2):
            wait_until(place.is_full, "events are refused", SOON)
            _check_told(place)
            _check_batch(place)
            wait_until(
                lambda: place.get("/health/ready").json(),
                "all is folded",
                SOON,
                holds=lambda told: told["lag_events"] == 0,
            )
            assert place.disk.room.held > 0
        load.wait_for(100)
    assert set(told) == {200}
    place.check_all_is_there(load)


def _check_told(place: Place) -> None:
    answer = place.post()
    assert int(answer.headers["retry-after"]) > 0
    assert "must free space" in answer.json()["error"]["message"]
    ready = place.get("/health/ready").json()
    assert ready["status"] == "degraded"
    assert "the disk of the database has " in ready["degraded"][0]
    metrics = place.get("/metrics").text
    assert "hourledger_disk_full 1.0\n" in metrics
    (free,) = re.findall(r"^hourledger_disk_free_bytes (\S+)$", metrics, re.MULTILINE)
    assert 0 < float(free) < place.disk.room.needed


def _check_batch(place: Place) -> None:
    """A client keeps the events of a batch for the code of each; the reason stands beside them."""
    events = [an_event(event_id="full-1"), an_event(extra=1)]
    answer = plain_http.post(f"{place.running.url}/e/batch", json=events, timeout=5)
    body = answer.json()
    assert (answer.status_code, body["ok"], body["error"]["code"]) == (503, False, "disk_full")
    assert [error["code"] for error in body["errors"]] == ["unavailable", "unknown_field"]
    assert body["event_ids"] == ["full-1", None]


def test_a_disk_that_fills_in_one_go_and_a_crash_on_it_need_nobody(place: Place) -> None:
    with loaded(place.running.url) as load, reading(place.running) as told:
        load.wait_for(100)
        with place.disk.filled():
            kill(*servers_of(place.disk.data))
            before = len(told)
            wait_until(
                lambda: told[before:][-20:], "reads are answered again", SOON, holds=lambda last: last == [200] * 20
            )
            wait_until(place.is_full, "events are refused", SOON)
            assert place.disk.room.held == 0
        load.wait_for(100)
        wait_until(lambda: place.disk.room.held, "the ballast is made again", SOON)
    place.check_all_is_there(load)
