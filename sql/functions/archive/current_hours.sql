-- The hours of [since, until) in some shards that a file holds exactly as they were appended (R10); see archive_standing.
-- `wrong`: files that cannot be read. Without the days that are gone: their ledger and files stay until the grace is over,
-- but rows of them are not read either, and an answer must not depend on what is archived.
-- Rows: one per hour.
create or replace function current_hours(in_shards integer[], since timestamptz, until timestamptz, wrong text[])
returns table (shard integer, hour timestamptz, file text, events bigint)
language sql stable
as $$
    select h.shard, s.hour, s.file, s.events
    from unnest($1) as h (shard)
    cross join lateral archive_standing(h.shard, $2, $3) as s
    where s.current and s.file <> all ($4)
        and not exists (
            select from gone_days() as d where d.day = (s.hour at time zone 'UTC')::date
        )
$$;
