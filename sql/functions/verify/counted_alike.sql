-- The raw events of one hour up to a position that no quarantine leaves out, counted in two sets at once; a kept hour's come
-- from its file (R10), see queries/verify/put_counts_from_file.sql.
-- Rows are of two sorts; the columns of the other sort are null:
--   bucket, event_type, tool_name, risk_mode: the number of equal events; names that were refused are (other)
--   bucket, session_id, user_id: the buckets of each session with each of its users
create or replace function counted_alike(in_shard integer, in_hour timestamptz, upto bigint)
returns table (
    bucket timestamptz, event_type text, tool_name text, risk_mode text, session_id text, user_id text, events bigint
)
language plpgsql stable
as $$
#variable_conflict use_column
declare
    leaves_out constant boolean := has_quarantine(in_shard, in_hour, hour_after(in_hour));
    refused_types int8multirange;
    refused_tools int8multirange;
    refused_modes int8multirange;
begin
    if is_kept((in_hour at time zone 'UTC')::date) then
        perform found_in_file(in_shard, in_hour);
        -- Every event of a kept day has been folded: no position is beyond.
        return query
        select
            in_hour + c.quarter * interval '15 minutes',
            c.event_type, c.tool_name, c.risk_mode, c.session_id, c.user_id, c.events
        from counts_from_files as c
        where c.shard = in_shard and c.hour = in_hour;
        return;
    end if;
    if has_refused_names(in_shard, in_hour) then
        refused_types := refused_positions(in_shard, 'event_type', in_hour);
        refused_tools := refused_positions(in_shard, 'tool_name', in_hour);
        refused_modes := refused_positions(in_shard, 'risk_mode', in_hour);
    end if;
    return query
    select c.bucket, c.event_type, c.tool_name, c.risk_mode, c.session_id, c.user_id, count(*)
    from (
        select
            quarter_of(e.timestamp) as bucket,
            e.session_id,
            e.user_id,
            counted_name(refused_types, e.shard, 'event_type', e.event_type, e.position) as event_type,
            counted_name(refused_tools, e.shard, 'tool_name', e.tool_name, e.position) as tool_name,
            counted_risk_mode(refused_modes, e.shard, e.event_type, e.properties, e.position) as risk_mode
        from events as e
        -- `+ 0` keeps the planner off events_by_position, because it would read all of that index.
        where e.shard = in_shard and e.timestamp >= in_hour and e.timestamp < hour_after(in_hour)
            and e.position + 0 <= upto
            and (
                not leaves_out
                or not is_quarantined(
                    e.shard, e.timestamp, e.session_id, e.user_id, e.event_type, e.tool_name, e.action,
                    hourly_risk_mode(e.event_type, e.properties), e.demo_mode, e.properties
                )
            )
    ) as c
    group by grouping sets ((c.bucket, c.event_type, c.tool_name, c.risk_mode), (c.bucket, c.session_id, c.user_id));
end
$$;
