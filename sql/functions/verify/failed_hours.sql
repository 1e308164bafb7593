-- The hours of [since, until) that are known to be wrong, in the live version: their last verification failed, or the file
-- of a kept hour is damaged.
-- Rows: one per hour and shard (differences: JSON of what is wrong, null when an older release recorded the proof).
create or replace function failed_hours(
    in_projection text, since timestamptz default '-infinity', until timestamptz default 'infinity'
)
returns table (shard integer, hour timestamptz, state text, differences json)
language sql stable
as $$
    with failed as (
        select h.shard, h.hour, h.state, h.verified_at, h.differences
        from projections as p
        join hour_proofs as h on h.projection = p.projection and h.version = p.live_version
        where p.projection = $1 and h.hour >= $2 and h.hour < $3 and h.state = any (failed_states())
    ),
    kept as (
        select s.shard, k.hour, k.events, k.file, k.wrong, k.proven_at
        from (
            select u.shard, u.hour from uncertain_hours($2, $3) as u union select f.shard, f.hour from failed as f
        ) as s
        cross join lateral kept_hours(s.shard, s.hour, hour_after(s.hour)) as k
    )
    select
        coalesce(f.shard, k.shard), coalesce(f.hour, k.hour), w.state,
        case
            when w.state = 'damaged' and k.wrong is not null then json_build_object(
                'found', 1,
                'named', json_build_array(json_build_object(
                    'field', 'archive_file',
                    'bucket', to_char(k.hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                    'key', k.file,
                    'stored', k.events::text,
                    'recounted', k.wrong
                ))
            )
            else f.differences
        end
    from failed as f
    full join kept as k on k.shard = f.shard and k.hour = f.hour
    cross join lateral (
        select case
            when k.hour is null then f.state
            else state_of_kept(f.state, f.verified_at, f.differences, k.wrong, k.proven_at)
        end as state
    ) as w
    where w.state = any (failed_states())
$$;
