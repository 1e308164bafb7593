-- Appends events to one shard (R2, R5). Each array is a column, with one element per event.
-- Rows: one for each event that was NOT stored, with its place in the arrays (from 1) and the reason:
-- duplicate, id_reused, expired or future.
-- The clock is null in production, which means the database's clock; tests pass one.
-- retention_days: for a log whose horizon was never set.
-- opened_day: all events are of this day, which may be before the horizon when it is open for history (R11).
-- new_names: how many new names an hour of each kind its site may have, null for any number; see admit_names.sql.
create or replace function append_events(
    in_shard integer,
    retention_days integer,
    clock timestamptz,
    event_ids text[],
    session_ids text[],
    user_ids text[],
    event_types text[],
    tool_names text[],
    actions text[],
    properties_texts text[],
    demo_modes boolean[],
    timestamps timestamptz[],
    opened_day date default null,
    new_names integer default null
)
returns table (ordinal integer, outcome text)
language plpgsql volatile
as $$
#variable_conflict use_column
declare
    offered_count constant integer := cardinality(event_ids);
    head bigint;
    oldest timestamptz;
    newest timestamptz;
    moment timestamptz;
    stored_count bigint;
    earliest timestamptz;
    latest timestamptz;
    has_erased boolean;
    types text[];
    tools text[];
    acts text[];
    modes text[];
    positions bigint[];
begin
    -- An acknowledged event is on disk, whatever this server's default is (R9).
    if current_setting('synchronous_commit') = 'off' then
        perform set_config('synchronous_commit', 'on', true);
    end if;

    select horizon into oldest from log_heads where shard = in_shard for update;
    if not found then
        raise exception 'shard % does not exist', in_shard using errcode = 'no_data_found';
    end if;
    -- Statements after the lock see everything that its former holders committed.
    head := log_head(in_shard);
    has_erased := exists (select from erased_ids as t where t.shard = in_shard);
    moment := coalesce(clock, clock_timestamp());
    oldest := horizon_at(oldest, retention_days, moment);
    newest := moment + interval '24 hours';
    if opened_day is not null then
        -- The day cannot close before this append is committed.
        perform from opened_days as d where d.day = opened_day and d.stage = 'open' for share;
        if found then
            oldest := opened_day::timestamp at time zone 'UTC';
            newest := least(newest, oldest + interval '24 hours' - interval '1 microsecond');
        end if;
    end if;

    with stored as (
        insert into events as e (
            position, timestamp, received_at, shard, demo_mode, event_id, session_id,
            user_id, event_type, tool_name, action, properties
        )
        select
            head + o.ordinal, o.timestamp, moment, in_shard, o.demo_mode, o.event_id, o.session_id,
            o.user_id, o.event_type, o.tool_name, o.action, o.properties::jsonb
        from unnest(
            event_ids, session_ids, user_ids, event_types, tool_names, actions, properties_texts,
            demo_modes, timestamps
        ) with ordinality as o (
            event_id, session_id, user_id, event_type, tool_name, action, properties,
            demo_mode, timestamp, ordinal
        )
        where o.timestamp >= oldest and o.timestamp <= newest
            and not (has_erased and is_erased(in_shard, o.timestamp, o.event_id))
        on conflict do nothing
        returning
            e.position,
            hour_of(e.timestamp) as hour,
            event_digest(
                e.event_id, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
                e.properties, e.demo_mode, e.timestamp
            ) as digest,
            e.event_type,
            e.tool_name,
            e.action,
            hourly_risk_mode(e.event_type, e.properties) as risk_mode
    ),
    witnessed as (
        insert into receipts (shard, last_position, hour, events, position_sum, digest_high, digest_low)
        select
            in_shard, head + offered_count, s.hour, count(*), sum(s.position),
            sum(digest_half(s.digest, 1)), sum(digest_half(s.digest, 9))
        from stored as s
        group by s.hour
        returning events
    ),
    named as (
        select s.event_type, s.tool_name, s.action, s.risk_mode, min(s.position) as position
        from stored as s
        group by s.event_type, s.tool_name, s.action, s.risk_mode
    )
    select
        (select coalesce(sum(w.events), 0) from witnessed as w),
        array_agg(n.event_type), array_agg(n.tool_name), array_agg(n.action), array_agg(n.risk_mode),
        array_agg(n.position)
    into stored_count, types, tools, acts, modes, positions
    from named as n;

    if stored_count > 0 then
        perform admit_names(in_shard, moment, new_names, types, tools, acts, modes, positions);
    end if;

    if stored_count = offered_count then
        return;
    end if;
    -- The lock on the head is held, so this must be quick: with known bounds the planner leaves out all other days.
    select min(o.timestamp), max(o.timestamp) into earliest, latest
    from unnest(timestamps) as o (timestamp)
    where o.timestamp >= oldest and o.timestamp <= newest;
    return query
    select
        o.ordinal::integer,
        case
            when o.timestamp < oldest then 'expired'
            when o.timestamp > newest then 'future'
            -- Without a holder it was erased: whoever sends it again is told that it is stored, and stops.
            when holder.position is null or holder.session_id = o.session_id then 'duplicate'
            else 'id_reused'
        end
    from unnest(event_ids, session_ids, timestamps) with ordinality as o (event_id, session_id, timestamp, ordinal)
    left join lateral (
        select e.position, e.session_id
        from events as e
        -- `+ 0` keeps the planner off events_by_position, because a new day's first plans would read all of that index.
        where e.timestamp = o.timestamp and e.event_id = o.event_id and e.shard + 0 = in_shard
            and e.timestamp between earliest and latest
        limit 1
    ) as holder on true
    where holder.position is distinct from head + o.ordinal;
end
$$;
