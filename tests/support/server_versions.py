"""Which tests run on every version of PostgreSQL, and which on the newest alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.servers import NEWEST

TESTS = Path(__file__).parents[1]
# What runs on PostgreSQL 16 as well, because the server, not our code, decides how it ends. Everything else runs on the
# newest version alone. A test that differs from its file has a mark: pytest.mark.versions("every") or ("newest").
# `python -m tests.version_cover` names the queries and functions that none of these runs.
EVERY_VERSION = {
    "what the driver and the server say to each other: connections, errors, types, settings, COPY, damaged pages": (
        *(
            "integration/sql",
            "integration/ingest/test_durable_appends.py",
            "property/ingest/test_storable_properties.py",
        ),
        *("integration/projections/test_unreadable.py", "integration/projections/retention/test_unreadable_days.py"),
    ),
    "plans, and how much they read": (
        *("integration/archive/test_plans.py", "integration/operations/test_bi_plans.py"),
        *("integration/projections/versions/test_plans.py", "integration/reports/test_list_plans.py"),
        *("integration/reports/test_query_plans.py", "integration/reports/test_report_plans.py"),
    ),
    "rights, views, dumps and steps of the schema": (
        *("integration/operations/test_backup.py", "integration/operations/test_bi_migrations.py"),
        *("integration/operations/test_bi_rights.py", "integration/operations/test_bi_views.py"),
        *("integration/operations/test_bi_dashboard.py", "integration/projections/test_people.py"),
        "integration/projections/retention/test_rolling_back_seals.py",
    ),
    "locks, and tables that are attached and detached": (
        *("integration/ingest/test_append_cases.py", "integration/projections/history/test_days.py"),
        *("integration/projections/retention/test_days_in_use.py", "integration/projections/versions/test_locks.py"),
        *("integration/projections/retention/test_detached_days.py", "integration/alerts/test_once.py"),
    ),
    "what functions and queries compute, each concern by the file that uses most of them": (
        *("integration/access/test_keys.py", "integration/access/test_sign_ins.py", "integration/access/test_sites.py"),
        *("integration/ingest/test_log.py", "integration/ingest/test_receipts.py"),
        *("integration/projections/test_acceptance.py", "integration/projections/test_due_hours.py"),
        *("integration/projections/test_hourly.py", "integration/projections/test_hourly_documents.py"),
        *("integration/projections/test_rebuild.py", "integration/projections/test_verify.py"),
        *("integration/projections/erasing/test_erasing.py", "integration/projections/history/test_chain.py"),
        *("integration/projections/kept/test_recounts.py", "integration/projections/kept/test_versions.py"),
        *("integration/projections/quarantine/test_numbers.py", "integration/projections/seals/test_chain.py"),
        *(
            "integration/projections/retention/test_deleted_rollups.py",
            "integration/projections/retention/test_dropped_days.py",
        ),
        *(
            "integration/projections/versions/test_abandoned_versions.py",
            "integration/projections/versions/test_switch_and_rollback.py",
        ),
        *("integration/reports/test_expired_reads.py", "integration/reports/test_proofs.py"),
        *("integration/reports/test_rollups.py", "integration/reports/test_segments.py"),
        *(
            "property/archive/test_files.py",
            "property/archive/test_quarantines.py",
            "property/archive/test_recounts.py",
        ),
        *("property/projections", "property/questions", "property/reports/test_cohorts.py"),
        *("property/reports/test_rollups.py", "property/reports/test_trends.py"),
    ),
}
# Parameters that are a number of shards. Tests with several shards run on the newest version only, beside those with
# one on every version, because a shard is a value in a column to the server.
SHARDS = ("aged", "log", "old", "sharded", "shards")


def depends_on_version(test: pytest.Item) -> bool:
    """Tell whether a test runs on every version, by its file or its `versions` mark (see EVERY_VERSION)."""
    if mark := test.get_closest_marker("versions"):
        return mark.args == ("every",)
    return any(test.path.is_relative_to(TESTS / file) for files in EVERY_VERSION.values() for file in files)


def has_shards_on_older_version(test: pytest.Item) -> bool:
    """Tell whether a test has a log with several shards on a version that is not the newest (see SHARDS)."""
    chosen: dict[str, object] = (
        test.callspec.params if isinstance(test, pytest.Function) and hasattr(test, "callspec") else {}
    )
    several = any(chosen.get(name, 1) != 1 for name in SHARDS)
    return several and chosen.get("postgres_version", NEWEST) != NEWEST
