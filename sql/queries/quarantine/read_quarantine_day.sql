-- Where a UTC day stands for a quarantine, and which of its hours events were appended to.
-- $1 shard, $2 day, $3 from, $4 to (exclusive)
-- Rows: one per hour with events that the range touches, oldest first, at least one (state: kept, or that of history_day;
-- is_filling: whether a rebuild is under way; hour: null without such hours; is_sealed).
select
    -- While its rows are detached, a kept day is both.
    case when is_kept($2) then 'kept' else s.state end as state,
    exists (select from checkpoints as c where c.shard = $1 and c.stage = 'filling') as is_filling,
    a.hour,
    exists (select from hour_seals as l where l.shard = $1 and l.hour = a.hour) as is_sealed
from history_day($2, null) as s
left join lateral (
    select w.hour
    from appended_hours(
        $1,
        greatest($2::timestamp at time zone 'UTC', date_trunc('hour', $3::timestamptz, 'UTC')),
        least(($2 + 1)::timestamp at time zone 'UTC', $4::timestamptz)
    ) as w
    where w.events > 0
) as a on true
order by a.hour
