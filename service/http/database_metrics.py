"""The metrics that the database tells: the log, its projection, proofs, retention, the archive and alerts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from sql.database import Database, Row
from sql.hourly import PROJECTION


async def metrics_of(database: Database) -> list[Metric]:
    """Return what the database tells. Raises sql.errors.DatabaseError."""
    statements = database.statements
    checkpoints = await database.rows(statements.list_lags, PROJECTION, None)
    failed = await database.only(statements.count_failed_proofs)
    overdue = await database.only(statements.count_overdue_days)
    seals = await database.rows(statements.list_seal_heads)
    retention = await database.only(statements.read_retention)
    archive = await database.only(statements.count_archive)
    writing = await database.only(statements.read_archive_state)
    alerts = await database.only(statements.count_alerts)
    refused = await database.rows(statements.count_refused_names)
    named = await database.rows(statements.list_sites)
    sites = {shard: row["name"] for row in named for shard in row["shards"]}
    days = GaugeMetricFamily(
        "hourledger_overdue_days",
        "Days kept past their retention, because they do not verify or cannot be dropped.",
        value=overdue["days"],
    )
    live = [row for row in checkpoints if row["live"]]
    return [
        up(1),
        *_of_projection(live, sites),
        _failed(failed),
        days,
        _seals(seals, sites),
        _refused_names(refused, {row["site"]: row["name"] for row in named}),
        *_retention(retention),
        *_archive({**archive, **writing}),
        GaugeMetricFamily("hourledger_alerts_firing", "Rules of alerts that fire now.", value=alerts["firing"]),
        GaugeMetricFamily(
            "hourledger_alert_messages_waiting", "Messages of alerts that are to be sent.", value=alerts["waiting"]
        ),
    ]


def up(answers: int) -> Metric:
    """Return the metric that says whether the database answers."""
    return GaugeMetricFamily("hourledger_database_up", "Whether the database answers.", value=answers)


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


def _refused_names(rows: list[Row], sites: Mapping[int, str]) -> Metric:
    """sites: the names of the sites."""
    hours = CounterMetricFamily(
        "hourledger_names_refused_hours_total", "Hours in which new names counted as (other).", labels=["site", "kind"]
    )
    for row in rows:
        hours.add_metric([sites[row["site"]], row["kind"]], row["hours"])
    return hours


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
