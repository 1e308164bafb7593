-- How many events of an hour that was read from its file quarantines leave out.
-- $1 shard, $2 hour
-- Rows: one (events).
select
    f.events
    - (
        select coalesce(sum(c.events), 0)
        from counts_from_files as c
        where c.shard = $1 and c.hour = $2 and c.session_id is null
    )::bigint as events
from hours_from_files as f
where f.shard = $1 and f.hour = $2
