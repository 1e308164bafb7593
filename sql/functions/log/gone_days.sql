-- Days whose events no answer shows: their rows have left the log, and the archive does not keep them. A day that is on its
-- way out is gone, too, although its table or its files stay until the grace is over.
-- Rows: one per day.
create or replace function gone_days()
returns table (day date)
language sql stable
as $$
    select r.day
    from retired_days as r
    where not exists (select from archived_days as a where a.day = r.day and a.stage = 'kept')
    group by r.day
$$;
