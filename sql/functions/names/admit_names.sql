-- Admits the names of events that an append has just stored, so that from their positions on they count under themselves.
-- Once a shard has admitted its share of `most` names of a kind in the hour of `moment`, or of `most_ever` in all, further
-- ones are refused until the hour is over: nothing keeps these, because their sender chooses how many there are. The caller
-- holds the lock on the shard's head.
-- most: new names an hour of the shard's site, null for any number, as for imports, whose names use up no room. The arrays
-- have one element for each combination of names, with the position of its first event.
create or replace function admit_names(
    in_shard integer,
    moment timestamptz,
    most integer,
    event_types text[],
    tool_names text[],
    actions text[],
    risk_modes text[],
    positions bigint[]
)
returns void
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    this_hour constant timestamptz := hour_of(moment);
    -- Names of each kind that a site may have in all, and the least share of a shard, since each shard has most names.
    most_ever constant bigint := 50000;
    least_share constant bigint := 5000;
begin
    -- A stretch that has ended spares later events the look at every name.
    update refused_names as r
    set upto = (select min(p.position) - 1 from unnest(positions) as p (position))
    where r.shard = in_shard and r.upto is null and r.hour <> this_hour;

    -- Most appends have no new name, and looking for one costs less than what follows.
    perform
    from unnest(event_types, tool_names, actions, risk_modes) as o (event_type, tool_name, action, risk_mode)
    cross join lateral event_names(o.event_type, o.tool_name, o.action, o.risk_mode) as n
    left join lateral (
        select true as is_known
        from admitted_names as a
        where a.shard = in_shard and a.kind = n.kind and a.name = n.name
        limit 1
    ) as known on true
    where known.is_known is null
    limit 1;
    if not found then
        return;
    end if;

    with offered as (
        select n.kind, n.name, min(o.position) as position
        from unnest(event_types, tool_names, actions, risk_modes, positions) as o (
            event_type, tool_name, action, risk_mode, position
        )
        cross join lateral event_names(o.event_type, o.tool_name, o.action, o.risk_mode) as n
        group by n.kind, n.name
    ),
    unknown as materialized (
        select
            o.kind, o.name, o.position, c.is_always,
            row_number() over (partition by o.kind, c.is_always order by o.position) as place
        from offered as o
        cross join lateral (select most is null or counts_always(o.kind, o.name) as is_always) as c
        left join lateral (
            select true as is_known
            from admitted_names as a
            where a.shard = in_shard and a.kind = o.kind and a.name = o.name
            limit 1  -- one look-up per name, whatever row count the planner expects
        ) as known on true
        where known.is_known is null
    ),
    site as (
        select greatest(count(*), 1) as shards
        from site_shards as mine
        join site_shards as s on s.site = mine.site
        where mine.shard = in_shard
    ),
    room as materialized (
        select
            u.kind,
            -- A refusal holds for the rest of its hour, so a flood does not make each append count.
            case
                when exists (
                    select from refused_names as f where f.shard = in_shard and f.kind = u.kind and f.upto is null
                ) then 0
                else least(
                    (most + s.shards - 1) / s.shards - (
                        select count(*)
                        from admitted_names as a
                        where a.shard = in_shard and a.kind = u.kind and a.hour = this_hour
                    ),
                    greatest((most_ever + s.shards - 1) / s.shards, least_share) - (
                        select count(*)
                        from admitted_names as a
                        where a.shard = in_shard and a.kind = u.kind and a.hour > '-infinity'
                    )
                )
            end as names
        from (select distinct n.kind from unknown as n where not n.is_always) as u
        cross join site as s
    ),
    admitted as (
        insert into admitted_names (shard, kind, name, position, hour)
        select in_shard, u.kind, u.name, u.position, case when u.is_always then '-infinity' else this_hour end
        from unknown as u
        left join room as r on r.kind = u.kind
        where u.is_always or u.place <= r.names
    )
    insert into refused_names (shard, kind, position, hour)
    select in_shard, u.kind, min(u.position), this_hour
    from unknown as u
    join room as r on r.kind = u.kind
    where not u.is_always and u.place > r.names
        and not exists (
            select from refused_names as f where f.shard = in_shard and f.kind = u.kind and f.upto is null
        )
    group by u.kind;
end
$$;
