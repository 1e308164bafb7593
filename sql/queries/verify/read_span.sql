-- The days that the log has or had: from its oldest day to its newest, retired days included.
-- Rows: one (since, until: the start of the first day, and of the day after the last; null when there is none).
select
    min(d.day)::timestamp at time zone 'UTC' as since,
    (max(d.day) + 1)::timestamp at time zone 'UTC' as until
from (select day from log_days() union all select day from retired_days) as d
