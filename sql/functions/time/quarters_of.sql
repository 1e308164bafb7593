-- The four buckets of an hour.
create or replace function quarters_of(in_hour timestamptz)
returns timestamptz[]
language sql immutable parallel safe
as $$
    select array[$1, $1 + interval '15 minutes', $1 + interval '30 minutes', $1 + interval '45 minutes']
$$;
