-- What the rollups tell of a user.
-- $1 shards, $2 user_id
-- Rows: one (first_bucket, last_bucket: starts of quarters of an hour, null when they do not know the user; days: the UTC
-- days, in days since 1970, among those whose rollups are kept).
select
    min(m.bucket) as first_bucket,
    max(m.bucket) as last_bucket,
    -- A user's first row outlives the rollups of its day.
    array_agg(distinct (m.bucket at time zone 'UTC')::date - date '1970-01-01')
        filter (where m.bucket >= rollups_since(c.shard)) as days
from projections as p
join checkpoints as c on c.projection = p.projection and c.version = p.live_version
join hourly_members as m on m.shard = c.shard and m.version = c.version and m.kind = 'user' and m.member = $2
where p.projection = 'hourly' and c.shard = any ($1::integer[])
