-- Where the events of a day that came back from the archive are not what was sealed: recounted from the rows.
-- Rows: one per hour that differs, none when all is right.
create or replace function restored_breaks(in_day date)
returns table (shard integer, hour timestamptz, sealed bigint, restored bigint)
language plpgsql stable
as $$
declare
    since constant timestamptz := in_day::timestamp at time zone 'UTC';
begin
    return query execute format(
        'select coalesce(s.shard, f.shard), coalesce(s.hour, f.hour), coalesce(s.events, 0), coalesce(f.events, 0)'
        ' from ('
        '    select i.* from log_heads as h cross join lateral seals_in_force(h.shard, $1, $1 + interval ''24 hours'') as i'
        '    where i.events <> 0'
        ') as s'
        ' full join ('
        '    select'
        '        e.shard, hour_of(e.timestamp) as hour, count(*) as events, sum(e.position) as position_sum,'
        '        sum(digest_half(e.digest, 1)) as digest_high, sum(digest_half(e.digest, 9)) as digest_low'
        '    from ('
        '        select'
        '            r.shard, r.timestamp, r.position,'
        '            event_digest('
        '                r.event_id, r.session_id, r.user_id, r.event_type, r.tool_name, r.action, r.properties, r.demo_mode,'
        '                r.timestamp'
        '            ) as digest'
        '        from %I as r'
        '        offset 0'  -- keeps each digest from being computed once per half
        '    ) as e'
        '    group by e.shard, hour_of(e.timestamp)'
        ') as f on f.shard = s.shard and f.hour = s.hour'
        ' where (s.events, s.position_sum, s.digest_high, s.digest_low)'
        '    is distinct from (f.events, f.position_sum, f.digest_high, f.digest_low)'
        ' order by 1, 2',
        restored_table(in_day)
    )
    using since;
end
$$;
