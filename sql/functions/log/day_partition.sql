-- Name of the partition that holds a UTC day.
create or replace function day_partition(day date)
returns text
language sql immutable parallel safe
as $$
    select 'events_' || to_char($1::timestamp, 'YYYYMMDD')
$$;
