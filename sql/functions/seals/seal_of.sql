-- The seal of an hour that is in force; see seals_in_force. Rows: one, none when the hour has no seal.
create or replace function seal_of(in_shard integer, in_hour timestamptz)
returns setof hour_seals
language sql stable
as $$
    select s.* from seals_in_force($1, $2, $2 + interval '1 microsecond') as s
$$;
