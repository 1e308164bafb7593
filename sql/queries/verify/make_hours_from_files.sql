-- Makes the place of the numbers of hours that were read from files, for this connection. Its rows go with the
-- transaction.
-- Rows: none.
create temporary table if not exists hours_from_files (
    shard integer not null,
    hour timestamptz not null,
    events bigint not null,
    position_sum numeric not null,
    digest_high numeric not null,
    digest_low numeric not null
) on commit delete rows
