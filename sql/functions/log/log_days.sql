-- The UTC days whose partitions exist. Rows: one per day.
create or replace function log_days()
returns table (day date)
language sql stable
as $$
    -- `case`, because a plan may evaluate this for other tables' names before it filters them out.
    select case when c.relname ~ '^events_[0-9]{8}$' then to_date(right(c.relname, 8), 'YYYYMMDD') end
    from pg_inherits as i
    join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = 'events'::regclass
$$;
