-- The hours of [since, until) in one shard whose days are kept, and what is known of their files: only these have the
-- hours' events (R10).
-- Rows: one per hour that anything was appended to:
--   file: null when no file holds the hour
--   wrong: why its events cannot be read, null when they can
--   proven_at: when the file's numbers were last recomputed
create or replace function kept_hours(in_shard integer, since timestamptz, until timestamptz)
returns table (hour timestamptz, events bigint, file text, wrong text, proven_at timestamptz)
language sql stable
as $$
    select
        w.hour, w.events, f.file,
        case
            when f.file is null then 'no file of the archive holds the hour'
            when f.damage is not null then f.damage
            when (a.events, a.position_sum, a.digest_high, a.digest_low)
                <> (w.events, w.position_sum, w.digest_high, w.digest_low)
                then 'it does not hold what was appended'
        end,
        a.proven_at
    from archived_days as d
    cross join lateral appended_numbers(
        $1,
        greatest($2, d.day::timestamp at time zone 'UTC'),
        least($3, (d.day + 1)::timestamp at time zone 'UTC')
    ) as w
    left join archive_hours as a on a.shard = $1 and a.hour = w.hour
    left join archive_files as f on f.file = a.file
    where d.stage = 'kept'
        and d.day >= ($2 at time zone 'UTC')::date and d.day::timestamp at time zone 'UTC' < $3
$$;
