-- Where the seals do not hold of an hour whose rows have left the log: its own seal, or its day's total.
-- Rows: one per difference.
create or replace function retired_breaks(in_shard integer, in_hour timestamptz)
returns table (field text, key text, stored numeric, recounted numeric)
language sql stable
as $$
    select b.field, null, b.stored, b.recounted
    from seal_breaks($1, $2) as b
    union all
    select 'retired_events', sealed.day::text, coalesce(d.events, 0), sealed.events
    from (select ($2 at time zone 'UTC')::date as day) as this
    cross join lateral (select this.day, sealed_events($1, this.day) as events) as sealed
    left join retired_days as d on d.shard = $1 and d.day = sealed.day
    where d.events is distinct from sealed.events
$$;
