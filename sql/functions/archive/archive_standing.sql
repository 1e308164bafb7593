-- What was appended to each hour of a shard in [since, until), and which file holds the hour, if any.
-- Rows: one per hour that anything was appended to:
--   file, written_at: null when no file holds it
--   of_day: whether the file was written for a day
--   current: the file holds exactly what was appended, and nothing is known to be wrong with it
create or replace function archive_standing(in_shard integer, since timestamptz, until timestamptz)
returns table (
    hour timestamptz,
    events bigint,
    position_sum numeric,
    digest_high numeric,
    digest_low numeric,
    file text,
    written_at timestamptz,
    of_day boolean,
    current boolean
)
language sql stable
as $$
    select
        w.hour, w.events, w.position_sum, w.digest_high, w.digest_low, h.file, h.written_at, h.of_day,
        coalesce(
            (h.events, h.position_sum, h.digest_high, h.digest_low)
                = (w.events, w.position_sum, w.digest_high, w.digest_low)
                and h.damage is null,
            false
        )
    from appended_numbers($1, $2, $3) as w
    left join lateral (
        select
            a.events, a.position_sum, a.digest_high, a.digest_low, f.file, f.written_at, f.damage,
            f.until - f.since > interval '1 hour' as of_day
        from archive_hours as a
        join archive_files as f on f.file = a.file
        where a.shard = $1 and a.hour = w.hour
        offset 0  -- one look-up per hour, whatever row count the planner expects
    ) as h on true
$$;
