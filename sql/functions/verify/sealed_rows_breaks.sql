-- Where the counts and member rows of one hour are not those that were sealed, apart from members that an erasure gave
-- another name since: its amendment says by how much that changed the digest. Rows: one per half of the digest that
-- differs, none when the rows are right or the hour has no seal.
create or replace function sealed_rows_breaks(in_shard integer, in_version integer, in_hour timestamptz)
returns table (field text, stored numeric, recounted numeric)
language sql stable
as $$
    select w.field, w.sealed, w.now
    from seal_of($1, $3) as s
    -- Once retention has deleted the hour's rollups, the digest of its rows must be 0. Only first rows of users may be
    -- left, and the digest leaves them out.
    cross join lateral (
        select case when s.hour >= t.rollups_since then 1 else 0 end as kept from shard_totals as t where t.shard = s.shard
    ) as rollups
    cross join hourly_rows_digest($1, $2, $3) as r
    cross join lateral (
        select
            coalesce(sum((h.value ->> 'rows_high')::numeric), 0) as high,
            coalesce(sum((h.value ->> 'rows_low')::numeric), 0) as low
        from amendments as a
        cross join lateral json_array_elements(a.hours) as h (value)
        where a.shard = s.shard and a.day = (s.hour at time zone 'UTC')::date and a.kind = 'erasure'
            and a.sequence > s.sequence and h.value ->> 'hour' = hour_text(s.hour)
    ) as renamed
    cross join lateral (
        values
            ('rows_high', (s.rows_high + renamed.high) * rollups.kept, r.rows_high),
            ('rows_low', (s.rows_low + renamed.low) * rollups.kept, r.rows_low)
    ) as w (field, sealed, now)
    where w.sealed <> w.now
$$;
