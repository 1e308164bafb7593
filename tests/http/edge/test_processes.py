"""Several workers, several shards, and a stop: answers stay the same, and no acked event is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from signal import SIGKILL, SIGTERM

import httpx
import psutil
import pytest
import pytest_asyncio

from tests.conftest import Servers
from tests.http.support.known import Known
from tests.http.support.samples import metrics, requests, value
from tests.http.support.site import HOUR, Json, Site, an_event, hour_start, new_site, now, text_of
from tests.http.support.starting import line_of, start
from tests.support import plain_http
from tests.support.waiting import wait_until

SENDERS = 8


@pytest_asyncio.fixture(scope="module")
async def many(servers: Servers, folder: Path, known: Known) -> AsyncIterator[Known]:
    """Give a second service with the known events, with eight shards and two workers, from an empty database."""
    # Shards share this number in equal parts, and one session of the known events has a thousand names.
    names = {"HOURLEDGER_NEW_NAMES_AN_HOUR": "40000"}
    async with new_site(servers, folder, empty=True, HOURLEDGER_SHARDS="8", HOURLEDGER_WORKERS="2", **names) as site:
        site.send(*known.events)
        yield Known(site, known.events)


def workers(site: Site) -> list[psutil.Process]:
    """Return the processes that answer requests."""
    return [each for each in site.part("http").children() if counts_of(each)]


def until_they_work(site: Site, number: int) -> list[psutil.Process]:
    """Wait for `number` worker processes and return them; readiness alone needs only one worker."""
    return wait_until(lambda: workers(site), f"{number} workers have begun", holds=lambda begun: len(begun) == number)


def comparable(answer: Json) -> Json:
    """Return an answer without values that depend on the time, the number of shards or the projector's progress."""
    events = [{**event, "received_at": None} for event in answer.get("events", ())]
    proof = {**answer.get("proof", {}), "state": None, "verified_at": None}
    cursor = bool(answer.get("next_cursor"))
    return {**answer, "events": events, "proof": proof, "as_of": None, "next_cursor": cursor}


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/api/analytics/track", {"hours": 700, "limit": 1000}),
        ("/api/analytics/track", {"hours": 700, "session_id": "s-7"}),
        ("/api/analytics/track", {"hours": 700, "tool_name": "Home", "demo_mode": "true"}),
        ("/api/analytics/rollups", {"hours": 8784}),
        ("/api/analytics/rollups", {"hours": 700, "fill": 1}),
        ("/api/analytics/rollups/{busiest}", {}),
        ("/api/analytics/rollups/{before}", {}),
        ("/api/analytics/rollups/2025-10-18T01:00Z", {}),
    ],
)
def test_eight_shards_and_two_workers_answer_as_one_does(known: Known, many: Known, path: str, query: Json) -> None:
    busiest = known.busiest()
    asked = path.format(busiest=text_of(busiest), before=text_of(busiest - HOUR))
    while True:
        hour = hour_start(now())
        answers = [comparable(each.site.get(asked, **query)) for each in (known, many)]
        if hour == hour_start(now()):
            break
    assert answers[0] == answers[1]


def test_ranges_have_the_same_distinct_sessions_in_eight_shards(known: Known, many: Known) -> None:
    first = known.busiest() - 20 * HOUR
    for since in (first + step * HOUR for step in range(0, 20, 3)):
        until = since + 5 * HOUR
        answer = many.site.get("/api/analytics/rollups", **{"from": text_of(since), "to": text_of(until)})
        inside = known.between(since, until)
        assert answer["distinct_sessions"] == len({event["session_id"] for event in inside})


def test_events_are_spread_and_every_shard_is_told(many: Known) -> None:
    rows = many.site.rows("select shard, max(position) as head from events group by shard order by shard")
    assert [row["shard"] for row in rows] == list(range(8))
    positions = many.site.get("/api/analytics/rollups")["as_of"]["positions"]
    assert len(positions) == 8
    assert all(position >= row["head"] for position, row in zip(positions, rows, strict=True))


def test_pages_go_through_all_shards(many: Known) -> None:
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = many.site.get("/api/analytics/track", hours=700, limit=333, **({"cursor": cursor} if cursor else {}))
        seen += [event["event_id"] for event in answer["events"]]
        cursor = answer["next_cursor"]
    assert len(seen) == len(set(seen)) == len(many.events)


def test_a_session_is_always_in_one_shard(many: Known) -> None:
    assert many.site.rows("select session_id from events group by session_id having count(distinct shard) > 1") == []


def test_another_number_of_shards_is_refused(many: Known) -> None:
    line = line_of(start("service", "serve", DATABASE_URL=many.site.database_url, HOURLEDGER_SHARDS="4"))
    assert "HOURLEDGER_SHARDS" in line
    assert "8" in line


def ask_on_new_connections(site: Site, times: int) -> None:
    """Ask `times` times; return once the workers have counted all requests, because they count after they answer."""
    before = live(site)
    for _ in range(times):
        assert plain_http.get(f"{site.running.url}/health/live").status_code == 200
    wait_until(lambda: live(site), f"{before + times} answers are counted", holds=lambda seen: seen == before + times)


def live(site: Site) -> float:
    return requests(metrics(site), "GET", "/health/live", 200)


def counts_of(worker: psutil.Process) -> list[Path]:
    """Return the files that hold a worker's counts; none before it has begun and after it has ended."""
    try:
        return sorted({Path(file.path) for file in worker.open_files() if file.path.endswith(".db")})
    except psutil.Error:
        return []


def test_metrics_are_those_of_all_workers_whichever_is_asked(many: Known) -> None:
    site = many.site
    both = until_they_work(site, 2)
    before = live(site)
    asked = 0

    def those_that_have_counted() -> list[psutil.Process]:
        nonlocal asked
        ask_on_new_connections(site, 5)
        asked += 5
        return [each for each in both if any(file.name.startswith("counter") for file in counts_of(each))]

    wait_until(those_that_have_counted, "both workers have answered", holds=lambda counted: counted == both)
    for _ in range(10):
        told = plain_http.get(f"{site.running.url}/metrics").text
        (line,) = [
            each for each in told.splitlines() if 'total{method="GET",route="/health/live",status="200"}' in each
        ]
        assert float(line.split()[-1]) == before + asked


def test_a_worker_that_was_killed_is_replaced_and_its_counts_remain(many: Known) -> None:
    site = many.site
    victim, _ = until_they_work(site, 2)
    ask_on_new_connections(site, 20)
    before = live(site)
    gauges = [file for file in counts_of(victim) if file.name.startswith("gauge")]
    assert gauges
    victim.send_signal(SIGKILL)

    wait_until(
        lambda: {worker.pid for worker in workers(site)},
        "another worker runs",
        holds=lambda pids: len(pids) == 2 and victim.pid not in pids,
    )

    def sums() -> tuple[float, float] | None:
        try:
            told = metrics(site)
        except httpx.TransportError:  # the connection led to the killed worker
            return None
        return requests(told, "GET", "/health/live", 200), value(told, "hourledger_events_waiting")

    wait_until(sums, "the sums include the counts of the killed worker", holds=lambda seen: seen == (before, 0))
    assert not any(file.exists() for file in gauges)


@pytest_asyncio.fixture
async def beginning(servers: Servers, tmp_path: Path) -> AsyncIterator[Site]:
    """Give a service that is ready while later workers still start."""
    async with new_site(servers, tmp_path, HOURLEDGER_WORKERS="4") as site:
        yield site


@pytest_asyncio.fixture
async def ending(servers: Servers, tmp_path: Path) -> AsyncIterator[Site]:
    """Give a service that the test ends."""
    async with new_site(servers, tmp_path, HOURLEDGER_WORKERS="2") as site:
        yield site


def test_a_service_stops_at_once_while_its_workers_begin(beginning: Site) -> None:
    beginning.running.process.send_signal(SIGTERM)
    assert beginning.running.process.wait(60) == 0
    # The supervisor kills and logs any worker that does not stop in time.
    assert "Killing" not in beginning.log()
    assert "killed" not in beginning.log()


class Sender:
    """Sends one event after another until the service is gone."""

    numbers = count()

    def __init__(self, site: Site) -> None:
        self.url = site.running.url
        self.acked: list[str] = []
        self.refused: list[httpx.Response] = []

    def send(self) -> None:
        with plain_http.new_client(self.url) as client:
            while True:
                event = an_event(event_id=f"e-{next(self.numbers)}")
                try:
                    answer = client.post("/e", json=event)
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    self.acked.append(event["event_id"])
                else:
                    self.refused.append(answer)


def test_nothing_that_was_acked_is_lost_when_the_service_is_told_to_stop(ending: Site) -> None:
    counts = counts_of(until_they_work(ending, 2)[0])
    senders = [Sender(ending) for _ in range(SENDERS)]
    with ThreadPoolExecutor(SENDERS) as threads:
        sending = [threads.submit(sender.send) for sender in senders]
        wait_until(
            lambda: sum(len(sender.acked) for sender in senders), "the service is under load", holds=lambda n: n > 400
        )
        ending.running.process.send_signal(SIGTERM)
        assert ending.running.process.wait(60) == 0
    for each in sending:
        each.result()
    stored = {row["event_id"] for row in ending.rows("select event_id from events")}
    assert {event_id for sender in senders for event_id in sender.acked} <= stored
    for sender in senders:
        assert all(answer.status_code == 503 and answer.headers["retry-after"] for answer in sender.refused)
    assert "Traceback" not in ending.log()
    assert ending.log().rstrip().endswith("hourledger: stopped")
    assert not counts[0].parent.exists(), "nothing is left behind"
