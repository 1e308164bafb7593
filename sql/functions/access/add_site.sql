-- Adds a site with shards of its own, from the next free number (R12). Each shard gets a checkpoint of every version of
-- every projection, so that a rebuild under way covers it: nothing of it is to be filled, and projectors fold it from its
-- first event. It takes no events of days that the other shards are closed for, because such a day may have left the log.
-- Rows: one, the number of the site. Raises unique_violation when the name is taken.
create or replace function add_site(in_name text, in_time_zone text, in_origins text[], shard_count integer)
returns integer
language plpgsql volatile
as $$
declare
    added integer;
    first_shard integer;
begin
    -- As begin_version, end_version and switch_version do, so that none of them misses the new shards.
    perform from projections as p order by p.projection for update;
    -- Held against a horizon that moves, and another site that takes the same numbers.
    perform from log_heads as h order by h.shard for update;
    select max(s.site) + 1 into added from sites as s;
    select max(h.shard) + 1 into first_shard from log_heads as h;
    if first_shard is null then
        raise exception 'the log has no shards yet' using errcode = 'no_data_found';
    end if;
    insert into sites (site, name, time_zone, origins) values (added, in_name, in_time_zone, in_origins);
    insert into log_heads (shard, horizon)
    select n.shard, (select max(h.horizon) from log_heads as h)
    from generate_series(first_shard, first_shard + shard_count - 1) as n (shard);
    insert into shard_totals (shard)
    select n.shard from generate_series(first_shard, first_shard + shard_count - 1) as n (shard);
    insert into checkpoints (shard, projection, version, position, stage, begun_at)
    select
        n.shard, c.projection, c.version, 0,
        case when bool_and(c.stage = 'complete') then 'complete' else 'proving' end,
        max(c.begun_at)
    from generate_series(first_shard, first_shard + shard_count - 1) as n (shard)
    cross join checkpoints as c
    group by n.shard, c.projection, c.version;
    insert into site_shards (shard, site)
    select n.shard, added from generate_series(first_shard, first_shard + shard_count - 1) as n (shard);
    return added;
end
$$;
