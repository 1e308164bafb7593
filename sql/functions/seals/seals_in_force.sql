-- The seals that are in force: of each sealed hour of a shard in [since, until) the newest, because an amendment gives its
-- hours another (R11). Rows: one per sealed hour.
create or replace function seals_in_force(in_shard integer, since timestamptz, until timestamptz)
returns setof hour_seals
language sql stable
as $$
    select distinct on (s.hour) s.*
    from hour_seals as s
    where s.shard = $1 and s.hour >= $2 and s.hour < $3
    order by s.hour, s.sequence desc
$$;
