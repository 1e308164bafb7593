-- Versions of hourly that have ended but still have rows.
-- $1 projection
-- Rows: one per version and shard (version, shard).
select v.version, s.shard
from projections as p
cross join generate_series(1, p.newest_version) as v (version)
cross join log_heads as s
where p.projection = $1
    and not exists (select from checkpoints as c where c.projection = $1 and c.version = v.version)
    -- One row of each table, by its primary key, because PostgreSQL might plan `exists` as a read of the whole table.
    and coalesce(
        (select true from hourly_counts where (shard, version) = (s.shard, v.version) order by hour limit 1),
        (select true from hourly_members where (shard, version) = (s.shard, v.version) order by kind, member limit 1),
        (select true from hourly_edges where (shard, version) = (s.shard, v.version) order by kind limit 1),
        (select true from hourly_documents where (shard, version) = (s.shard, v.version) order by hour limit 1),
        (select true from hourly_fills where (shard, version) = (s.shard, v.version) order by hour limit 1),
        (
            select true
            from hour_proofs
            where (shard, projection, version) = (s.shard, $1, v.version)
            order by hour
            limit 1
        )
    )
order by v.version, s.shard
