"""Metrics for Prometheus: requests and events of all HTTP workers, and the state of the database at the scrape.

Each worker counts into files in the folder that PROMETHEUS_MULTIPROC_DIR names. The worker that answers a scrape sums
the files of all workers. Without that folder (one worker, run by hand) a worker answers with its own counts. The sums
keep the counts of workers that died.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from service.http.deadline import in_time
from service.http.overload import REASONS
from service.ingest.admission import Admission
from service.ingest.disk_guard import DiskGuard
from sql.database import Database, Row
from sql.errors import DatabaseError
from sql.hourly import PROJECTION

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
# Only these methods have counts of their own, because a client can invent any number of others.
METHODS = frozenset({"GET", "HEAD", "POST", "OPTIONS", "PUT", "PATCH", "DELETE"})
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """The metrics of one HTTP worker, and the text of all workers' metrics. overload: why it refuses events now."""

    def __init__(self, overload: Callable[[], frozenset[str]] = frozenset) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._overload = overload
        self._registry = CollectorRegistry()
        requests = Counter(
            "hourledger_requests", "HTTP requests answered.", ["method", "route", "status"], registry=self._registry
        )
        events = Counter("hourledger_events", "Events offered, by outcome.", ["outcome"], registry=self._registry)
        refused = Counter(
            "hourledger_refused_requests",
            "Requests refused before anything of them was read, by reason.",
            ["reason"],
            registry=self._registry,
        )
        seconds = Histogram(
            "hourledger_request_seconds",
            "Seconds from a request to its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        deliveries = Counter(
            "hourledger_alert_deliveries",
            "Attempts to send a message of alerts, by outcome.",
            ["outcome"],
            registry=self._registry,
        )
        self._waiting = Gauge(
            "hourledger_events_waiting",
            "Events waiting for a commit.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        overloaded = Gauge(
            "hourledger_overloaded",
            "Whether events are refused for lack of room, or were within the last minute, by reason.",
            ["reason"],
            multiprocess_mode="livemax",
            registry=self._registry,
        )
        # Cached, because prometheus_client takes longer to find a counter by its labels than to count.
        self._requests = cache(requests.labels)
        self._events = cache(events.labels)
        self._refused = cache(refused.labels)
        self._seconds = cache(seconds.labels)
        self._deliveries = cache(deliveries.labels)
        self._overloaded = cache(overloaded.labels)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request and its answer."""
        method = method if method in METHODS else "other"
        self._requests(method, route, status).inc()
        self._seconds(method, route).observe(seconds)

    def refused(self, reason: str) -> None:
        """Count a request that the gate refused. reason: one of a fixed set of names."""
        self._refused(reason).inc()

    def offered(self, outcome: str, events: int = 1) -> None:
        """Count events by their outcome."""
        self._events(outcome).inc(events)

    def delivered(self, outcome: str) -> None:
        """Count an attempt to send a message of alerts. outcome: sent, failed or gave_up."""
        self._deliveries(outcome).inc()

    def waiting(self, events: int) -> None:
        """Set the number of events that wait in this worker."""
        self._waiting.set(events)

    def overloads(self) -> frozenset[str]:
        """Return why events are refused for lack of room, after telling it to the metrics."""
        found = self._overload()
        for reason in REASONS:
            self._overloaded(reason).set(reason in found)
        return found

    async def text(self, database: Database, admission: Admission) -> bytes:
        """Return all metrics in Prometheus' text format. While the database is away it leaves the database's out."""
        self.waiting(admission.events)
        self.overloads()
        try:
            families = await in_time(_of_database(database))
        except DatabaseError:
            families = [_up(0)]
        if admission.disk is not None:
            families += _disk(admission.disk)
        return generate_latest(self._of_workers()) + generate_latest(_Collected(families))

    def _of_workers(self) -> CollectorRegistry:
        if FOLDER not in os.environ:
            return self._registry
        _forget_dead_workers(Path(os.environ[FOLDER]))
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return registry


class _Collected(Collector):
    """Hands out metrics that were read before, because a collector cannot wait for the database."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


async def _of_database(database: Database) -> list[Metric]:
    statements = database.statements
    checkpoints = await database.rows(statements.list_lags, PROJECTION, None)
    failed = await database.only(statements.count_failed_proofs)
    overdue = await database.only(statements.count_overdue_days)
    seals = await database.rows(statements.list_seal_heads)
    retention = await database.only(statements.read_retention)
    archive = await database.only(statements.count_archive)
    writing = await database.only(statements.read_archive_state)
    alerts = await database.only(statements.count_alerts)
    sites = {shard: row["name"] for row in await database.rows(statements.list_sites) for shard in row["shards"]}
    days = GaugeMetricFamily(
        "hourledger_overdue_days",
        "Days kept past their retention, because they do not verify or cannot be dropped.",
        value=overdue["days"],
    )
    live = [row for row in checkpoints if row["live"]]
    return [
        _up(1),
        *_of_projection(live, sites),
        _failed(failed),
        days,
        _seals(seals, sites),
        *_retention(retention),
        *_archive({**archive, **writing}),
        GaugeMetricFamily("hourledger_alerts_firing", "Rules of alerts that fire now.", value=alerts["firing"]),
        GaugeMetricFamily(
            "hourledger_alert_messages_waiting", "Messages of alerts that are to be sent.", value=alerts["waiting"]
        ),
    ]


def _up(answers: int) -> Metric:
    return GaugeMetricFamily("hourledger_database_up", "Whether the database answers.", value=answers)


def _disk(guard: DiskGuard) -> Iterator[Metric]:
    room = guard.room()
    yield GaugeMetricFamily("hourledger_disk_free_bytes", "Free bytes of the embedded server's disk.", value=room.free)
    yield GaugeMetricFamily(
        "hourledger_disk_needed_bytes", "Events are refused while fewer bytes are free.", value=room.needed
    )
    yield GaugeMetricFamily(
        "hourledger_disk_full", "Whether events are refused because the disk is full.", value=guard.full
    )


def _of_projection(checkpoints: list[Row], sites: Mapping[int, str]) -> Iterator[Metric]:
    """sites: the name of each shard's site."""
    head = GaugeMetricFamily("hourledger_log_head", "Last position of the log.", labels=["site", "shard"])
    lag = GaugeMetricFamily(
        "hourledger_projection_lag_events", "Events not folded yet.", labels=["projection", "site", "shard"]
    )
    version = GaugeMetricFamily(
        "hourledger_projection_version", "Version of the projection that answers reads.", labels=["projection"]
    )
    for row in checkpoints:
        where = sites[row["shard"]], str(row["shard"])
        head.add_metric(where, row["head"])
        lag.add_metric([PROJECTION, *where], row["lag_events"])
    for live in {row["version"] for row in checkpoints}:
        version.add_metric([PROJECTION], live)
    yield from (head, lag, version)


def _failed(proofs: Row) -> Metric:
    failed = GaugeMetricFamily("hourledger_failed_proofs", "Hours whose last verification failed.", labels=["state"])
    for state, hours in proofs.items():
        failed.add_metric([state], hours)
    return failed


def _retention(row: Row) -> Iterator[Metric]:
    yield GaugeMetricFamily(
        "hourledger_detached_days", "Days whose rows left the log and can be brought back.", value=row["detached"]
    )
    yield GaugeMetricFamily(
        "hourledger_archive_kept_days", "Days whose events only the archive has.", value=row["kept"]
    )
    since = row["kept_since"].timestamp() if row["kept_since"] is not None else 0.0
    yield GaugeMetricFamily(
        "hourledger_archive_kept_since_seconds", "Start of the oldest of these days, 0 for none.", value=since
    )
    ahead = row["ahead"].total_seconds() if row["ahead"] is not None else 0.0
    yield GaugeMetricFamily(
        "hourledger_clock_ahead_seconds",
        "Seconds that the clock was ahead of the time known to have passed, at its last reading.",
        value=max(ahead, 0.0),
    )


def _archive(row: Mapping[str, Any]) -> Iterator[Metric]:
    numbers = {
        "hourledger_archive_files": ("files", "Files of the archive."),
        "hourledger_archive_bytes": ("bytes", "Bytes of the archive's files."),
        "hourledger_archive_hours": ("hours", "Hours that a file of the archive holds exactly."),
        "hourledger_archive_waiting_hours": ("waiting_hours", "Hours that are over and that no file holds exactly."),
        "hourledger_archive_damaged_files": ("damaged_files", "Files of the archive that are damaged and not read."),
    }
    for name, (column, what) in numbers.items():
        yield GaugeMetricFamily(name, what, value=row[column])
    yield CounterMetricFamily(
        "hourledger_archive_failed_writes_total",
        "Files of the archive that could not be written.",
        value=row["failed_writes"],
    )
    failed_at = row["failed_at"].timestamp() if row["failed_at"] is not None else 0.0
    yield GaugeMetricFamily(
        "hourledger_archive_last_error_seconds", "When a file could not be written last, 0 for never.", value=failed_at
    )


def _seals(heads: list[Row], sites: Mapping[int, str]) -> Metric:
    seals = GaugeMetricFamily("hourledger_seals", "Sealed hours, the length of the chain.", labels=["site", "shard"])
    for head in heads:
        seals.add_metric([sites[head["shard"]], str(head["shard"])], head["sequence"])
    return seals


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that are gone."""
    for file in folder.glob("gauge_live*_*.db"):
        worker = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(worker):
            mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]
