-- The hours of [since, until) whose days are kept, and that kept_hours must look at, in all shards: a file is damaged, or
-- the catalog does not say what the ledger alone says. All others can be read. One join of the ledger with the catalog
-- is far cheaper than to add up both witnesses of each hour, and a year has thousands of hours. While no day is kept it
-- reads none of them: a ledger that cannot be read must not hide what is known without it.
-- Rows: one per hour.
create or replace function uncertain_hours(since timestamptz, until timestamptz)
returns table (shard integer, hour timestamptz)
language sql stable
as $$
    select w.shard, w.hour
    from archived_days as d
    join (
        select l.shard, l.hour
        from hour_ledger as l
        left join archive_hours as a on a.shard = l.shard and a.hour = l.hour
        where exists (select from archived_days as k where k.stage = 'kept')
            and l.hour >= $1 and l.hour < $2
            and (a.events, a.position_sum, a.digest_high, a.digest_low)
                is distinct from (l.events, l.position_sum, l.digest_high, l.digest_low)
        union
        select r.shard, r.hour from receipts as r where r.hour >= $1 and r.hour < $2
        union
        select a.shard, a.hour
        from archive_files as f
        join archive_hours as a on a.file = f.file
        where f.damage is not null and a.hour >= $1 and a.hour < $2
    ) as w on (w.hour at time zone 'UTC')::date = d.day
    where d.stage = 'kept'
$$;
