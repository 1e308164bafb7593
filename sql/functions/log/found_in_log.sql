-- The count and the digest of the events that one hour of a shard's log holds now: all, or those up to a position
-- that were received by a moment. Reads the events themselves. Rows: one, zeros when the hour is empty.
create or replace function found_in_log(
    in_shard integer, in_hour timestamptz, upto bigint default null, moment timestamptz default 'infinity'
)
returns table (events bigint, position_sum numeric, digest_high numeric, digest_low numeric)
language plpgsql stable
as $$
#variable_conflict use_column
begin
    return query
    select
        count(*),
        coalesce(sum(e.position), 0),
        coalesce(sum(digest_half(e.digest, 1)), 0),
        coalesce(sum(digest_half(e.digest, 9)), 0)
    from (
        select
            l.position,
            event_digest(
                l.event_id, l.session_id, l.user_id, l.event_type, l.tool_name, l.action,
                l.properties, l.demo_mode, l.timestamp
            ) as digest
        from events as l
        where l.shard = in_shard and l.timestamp >= in_hour and l.timestamp < hour_after(in_hour)
            -- `+ 0` keeps the planner off events_by_position.
            and (upto is null or l.position + 0 <= upto)
            and l.received_at <= moment
        offset 0  -- keeps each digest from being computed once per half
    ) as e;
end
$$;
