-- Which file holds an hour whose day is kept. Holds the day's record, so that the day does not leave before the
-- transaction ends.
-- $1 shard, $2 hour
-- Rows: one when the day is kept (file: null when none holds the hour; bytes, file_events, events, position_sum,
-- digest_high, digest_low: as archived; appended: how many events were appended to the hour), else none.
select
    f.file, f.bytes, f.events as file_events, h.events, h.position_sum, h.digest_high, h.digest_low,
    (select greatest(w.events, s.events, 0) from appended($1, $2) as w
        left join lateral seal_of($1, $2) as s on true) as appended
from archived_days as a
left join archive_hours as h on h.shard = $1 and h.hour = $2
left join archive_files as f on f.file = h.file
where a.day = ($2::timestamptz at time zone 'UTC')::date and a.stage = 'kept'
for share of a
