-- Whether the archive's files are the raw events of a day: its rows have left the log, and its events are kept (R10).
create or replace function is_kept(day date)
returns boolean
language sql stable
as $$
    select exists (select from archived_days as a where a.day = $1 and a.stage = 'kept')
$$;
