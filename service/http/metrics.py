"""Metrics for Prometheus: requests and events of all HTTP workers, and the state of the database at the scrape.

Each worker counts into files in the folder that PROMETHEUS_MULTIPROC_DIR names. The worker that answers a scrape sums
the files of all workers. Without that folder (one worker, run by hand) a worker answers with its own counts. The sums
keep the counts of workers that died.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

from service.http.database_metrics import metrics_of, up
from service.http.deadline import in_time
from service.http.overload import REASONS
from service.ingest.admission import Admission
from service.ingest.disk_guard import DiskGuard
from sql.database import Database
from sql.errors import DatabaseError

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
            families = await in_time(metrics_of(database))
        except DatabaseError:
            families = [up(0)]
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


def _disk(guard: DiskGuard) -> Iterator[Metric]:
    room = guard.room()
    yield GaugeMetricFamily("hourledger_disk_free_bytes", "Free bytes of the embedded server's disk.", value=room.free)
    yield GaugeMetricFamily(
        "hourledger_disk_needed_bytes", "Events are refused while fewer bytes are free.", value=room.needed
    )
    yield GaugeMetricFamily(
        "hourledger_disk_full", "Whether events are refused because the disk is full.", value=guard.full
    )


def _forget_dead_workers(folder: Path) -> None:
    """Remove the gauges of workers that are gone."""
    for file in folder.glob("gauge_live*_*.db"):
        worker = int(file.stem.rpartition("_")[2])
        if not psutil.pid_exists(worker):
            mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]
