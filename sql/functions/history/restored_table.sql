-- Name of the table into which the events of a day come back from the archive, until it is a part of the log again.
create or replace function restored_table(day date)
returns text
language sql immutable parallel safe
as $$
    select 'restored_' || to_char($1::timestamp, 'YYYYMMDD')
$$;
