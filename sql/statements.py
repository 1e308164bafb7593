"""Every query by name. A query is one file below `queries/`; the class Statements lists them all."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

QUERIES = Path(__file__).parent / "queries"
# The columns of every query of events, in this order; `python -m tests.sql_check` checks the queries.
EVENT_COLUMNS = (
    "event_id",
    "event_type",
    "session_id",
    "user_id",
    "tool_name",
    "action",
    "properties",
    "demo_mode",
    "timestamp",
    "received_at",
)


@dataclass(frozen=True, slots=True)
class Statements:
    """The text of each query. The header of its file describes the query, its parameters and its rows."""

    accept_damage: str
    add_alert_rule: str
    add_annotation: str
    add_erasing: str
    add_key: str
    add_share_link: str
    add_sign_in: str
    add_site: str
    advance_clock: str
    advance_horizon: str
    allow_missing_functions: str
    amend_day: str
    append_events: str
    append_history: str
    ask_for_proof: str
    attach_day: str
    begin_archive_file: str
    begin_erasure: str
    begin_quarantine: str
    begin_restoring: str
    begin_version: str
    bury_events: str
    carry_hourly: str
    check_log: str
    check_totals: str
    claim_alert_deliveries: str
    claim_alert_rules: str
    close_day: str
    cohorts_from_rollups: str
    compact_receipts: str
    complete_erasure: str
    connect_hourly: str
    copy_admitted_names: str
    copy_events: str
    copy_span: str
    count_alerts: str
    count_archive: str
    count_changes_since: str
    count_events: str
    count_failed_proofs: str
    count_folded: str
    count_overdue_days: str
    count_quarantined: str
    count_quarantined_in_file: str
    count_refused_names: str
    count_returned: str
    count_users: str
    create_replacement: str
    create_schema_migrations: str
    create_shards: str
    delete_annotation: str
    delete_archive_file: str
    delete_goal: str
    delete_hourly: str
    delete_saved: str
    delete_segment: str
    delete_view: str
    describe_server: str
    detach_day: str
    drop_detached: str
    drop_former: str
    drop_functions: str
    drop_old_functions: str
    drop_replacement: str
    drop_restored: str
    drop_views: str
    end_long_readers: str
    end_quarantine: str
    end_sessions: str
    end_sign_in: str
    end_version: str
    erase_day: str
    export_events: str
    fill_hourly: str
    find_person: str
    fold_hourly: str
    fold_shards: str
    forget_archive_hours: str
    forget_archived_days: str
    forget_drift: str
    forget_hours_with_rows: str
    forget_key: str
    forget_migration: str
    forget_tombstones: str
    forget_worker_reasons: str
    grant_views: str
    has_alert_rules: str
    has_quarantined_days: str
    has_rows: str
    has_schema: str
    has_tables: str
    hold_archive_file: str
    hold_checkpoints: str
    hold_day: str
    hold_kept_day: str
    hold_log: str
    identify_backend: str
    is_judged_hour: str
    judge_events: str
    keep_archived_day: str
    leave_archive: str
    lend_snapshot: str
    lift_quarantined_day: str
    limit_bi_logins: str
    list_accepted: str
    list_alert_rules: str
    list_annotations: str
    list_appended: str
    list_appended_numbers: str
    list_archived_hours: str
    list_checkpoints: str
    list_closed_days: str
    list_commitments: str
    list_current_hours: str
    list_days_to_archive: str
    list_days_to_bring_back: str
    list_detached_days: str
    list_due_hours: str
    list_ended_versions: str
    list_erased_hours: str
    list_erasing: str
    list_erasure_steps: str
    list_erasures: str
    list_events: str
    list_failed_elsewhere: str
    list_files_to_prove: str
    list_files_to_read: str
    list_fills: str
    list_goals: str
    list_held_files: str
    list_history_days: str
    list_hours: str
    list_hours_to_archive: str
    list_kept_files: str
    list_keys: str
    list_lags: str
    list_lost_files: str
    list_member_ids: str
    list_members: str
    list_missing_days: str
    list_old_files: str
    list_opened_days: str
    list_overdue_days: str
    list_overdue_rollups: str
    list_person: str
    list_quarantine_days: str
    list_quarantined_events: str
    list_quarantined_ranges: str
    list_quarantines: str
    list_refused_stretches: str
    list_released_files: str
    list_saved_views: str
    list_seal_heads: str
    list_segments: str
    list_session: str
    list_shards: str
    list_shards_of_site: str
    list_shards_to_compact: str
    list_share_links: str
    list_sign_ins: str
    list_sites: str
    list_standings: str
    list_unknown_files: str
    list_user: str
    list_user_sessions: str
    list_vacuums: str
    list_verified: str
    list_versions: str
    list_worker_reasons: str
    lock_schema: str
    make_bi_role: str
    make_counts_from_files: str
    make_day: str
    make_hours_from_files: str
    mend_sealed_hour: str
    note_key_uses: str
    open_database: str
    open_day: str
    open_views: str
    prolong_grace: str
    put_counts_from_file: str
    put_events_from_file: str
    put_hour_from_file: str
    put_quarantined_day: str
    put_replacement_in_place: str
    read_access_version: str
    read_archive_id: str
    read_archive_state: str
    read_beginning: str
    read_clock: str
    read_differences: str
    read_erasure: str
    read_event: str
    read_folded: str
    read_goal: str
    read_hourly: str
    read_kept: str
    read_kept_hour: str
    read_lock_room: str
    read_log_head: str
    read_log_until: str
    read_newest_received: str
    read_origin: str
    read_people: str
    read_proof: str
    read_proofs: str
    read_quarantine: str
    read_quarantine_day: str
    read_retention: str
    read_retired: str
    read_schema_version: str
    read_seal: str
    read_segment: str
    read_session: str
    read_shift: str
    read_site_of_shard: str
    read_span: str
    read_trend: str
    read_user: str
    rebuild_hourly: str
    record_alert: str
    record_archive_failure: str
    record_archive_hours: str
    record_archive_success: str
    record_delivery: str
    record_file_damaged: str
    record_file_proven: str
    record_migration: str
    record_proof: str
    record_report: str
    record_retention: str
    record_shift: str
    release_archive_files: str
    remove_alert_rule: str
    rename_members: str
    rename_site: str
    reseal_hours: str
    restore_events: str
    restored_breaks: str
    retire_rollups: str
    retire_site: str
    revoke_key: str
    revoke_share_link: str
    rotate_key: str
    save_goal: str
    save_segment: str
    save_view: str
    seal_hour: str
    set_for_transaction: str
    set_former_aside: str
    shut_database: str
    shut_day: str
    sign_views: str
    sum_heads: str
    switch_version: str
    tell_worker_reasons: str
    vacuum_erasing: str
    verify_hourly: str
    write_document: str


@cache
def load(folder: Path = QUERIES) -> Statements:
    """Read every query, once for each folder.

    Raises FileNotFoundError when a file is missing and ValueError when one is not listed above.
    """
    files = {path.stem: path for path in folder.rglob("*.sql")}
    names = [field.name for field in fields(Statements)]
    if unlisted := sorted(files.keys() - set(names)):
        raise ValueError(f"queries not listed in sql/statements.py: {', '.join(unlisted)}")
    if missing := [f"{name}.sql" for name in names if name not in files]:
        raise FileNotFoundError(f"no file in {folder} for queries of sql/statements.py: {', '.join(missing)}")
    return Statements(**{name: files[name].read_text(encoding="utf-8") for name in names})
