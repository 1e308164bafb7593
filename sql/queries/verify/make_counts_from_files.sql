-- Makes the place of what is counted from files, for this connection; see sql/archive/count_alike.sql. Its rows go with the
-- transaction.
-- Rows: none.
create temporary table if not exists counts_from_files (
    shard integer not null,
    hour timestamptz not null,
    quarter smallint not null,
    event_type text collate "C",
    tool_name text collate "C",
    risk_mode text collate "C",
    session_id text collate "C",
    user_id text collate "C",
    events bigint not null
) on commit delete rows
