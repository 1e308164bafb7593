-- What files should hold, by hour, apart from the hours of days that are gone.
-- $1 files, or null: those with an hour in the range, $2 from or null, $3 to (exclusive) or null
-- Rows: one per hour that is read from them (file, shard, bytes, file_events, damage, hour, events, position_sum,
-- digest_high, digest_low, only_copy: the log has no rows of the hour), by file.
select
    f.file, f.shard, f.bytes, f.events as file_events, f.damage,
    h.hour, h.events, h.position_sum, h.digest_high, h.digest_low,
    is_kept((h.hour at time zone 'UTC')::date) as only_copy
from archive_files as f
join archive_hours as h on h.file = f.file
where ($1::text[] is null or f.file = any ($1))
    and f.until > coalesce($2::timestamptz, '-infinity') and f.since < coalesce($3::timestamptz, 'infinity')
    and not exists (
        select from gone_days() as g where g.day = (h.hour at time zone 'UTC')::date
    )
order by f.shard, f.since, f.file, h.hour
