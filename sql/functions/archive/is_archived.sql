-- Whether these files hold every hour of a UTC day, in all shards, exactly as it was appended. Null is no file.
create or replace function is_archived(in_day date, files text[])
returns boolean
language sql stable
as $$
    select not exists (
        select
        from log_heads as h
        cross join lateral archive_standing(
            h.shard, $1::timestamp at time zone 'UTC', ($1 + 1)::timestamp at time zone 'UTC'
        ) as s
        where not s.current or s.file <> all (coalesce($2, '{}'))
    )
$$;
